"""How soon a worker serves again: with its tables, and without."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from typing import NamedTuple

from docreactor.bench.meter import ends_of, metering
from docreactor.bench.report import Figure
from docreactor.bench.stage import Stage, Worker
from docreactor.bench.wire import Wire, open_wire
from docreactor.bench.workload import Workload
from docreactor.bench.write import MODEL

_PER_JOB = 10
_TOP_UP_SEED = 5
_POLL_S = 0.02
_RESTORED = re.compile(rb"^docreactor_restored_records_total (\S+)$", re.MULTILINE)


class Start(NamedTuple):
    """One start of a worker."""

    serving_s: float
    records: int
    rss_bytes: int
    cpu_s: float
    write_tables_s: float


async def measure_restart(
    stage: Stage, workload: Workload, operations: int, *, present: int
) -> list[Figure]:
    """Bring the log from `present` to so many operations, then start twice: warm and cold."""
    await _top_up(stage, workload, operations, present=present)
    warm = await _start(stage)
    shutil.rmtree(stage.tables)
    cold = await _start(stage)
    held = max(operations, present)
    return [
        Figure("operations on the log", held, "operations"),
        Figure("warm restart, process start to serving", warm.serving_s, "s", "at most 3"),
        Figure("warm restart, records read", warm.records, "records"),
        Figure("cold restore, process start to serving", cold.serving_s, "s"),
        Figure("cold restore, start included", held / cold.serving_s, "operations/s"),
        Figure(
            "cold restore, reducer's tables alone",
            held / cold.write_tables_s,
            "operations/s",
            "at least 100,000",
        ),
        Figure("cold restore, records read", cold.records, "records"),
        Figure("cold restore, processor", cold.cpu_s, "s"),
        Figure("cold restore, memory", cold.rss_bytes / 2**20, "MiB"),
    ]


async def _top_up(stage: Stage, workload: Workload, operations: int, *, present: int) -> None:
    missing = max(0, operations - present)
    jobs = workload.changes(missing, per_job=_PER_JOB, seed=_TOP_UP_SEED)
    await stage.fill(stage.topics.actions, jobs, what="Filling the topic", total=missing)
    ends = await ends_of(stage, stage.actions)
    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        await worker.ready()
        await meter.consumed(ends, worker)
        await meter.ready(worker)


async def _start(stage: Stage) -> Start:
    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        announcement = await worker.ready()
        async with open_wire(announcement.url) as wire:
            await _serving(wire, worker)
            serving_s = time.time() - worker.started_s
            metrics = await wire.get("/metrics")
        usage = worker.usage()
        write_tables_s = meter.restoring_s()
    found = _RESTORED.search(metrics.body)
    records = int(float(found[1])) if found else 0
    return Start(serving_s, records, usage.rss_bytes, usage.cpu_s, write_tables_s)


async def _serving(wire: Wire, worker: Worker) -> None:
    while (await wire.get("/readyz")).status != 200:
        worker.usage()
        await asyncio.sleep(_POLL_S)
