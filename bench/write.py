"""How many actions a worker takes in a second, and how soon its view shows them."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.bench.meter import ends_of, metering
from docreactor.bench.report import Figure
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload

MODEL = "docreactor.bench.stock"


@dataclass(frozen=True, slots=True)
class WriteRun:
    """Rates of one run; every action is a job of its own."""

    write_per_s: float
    read_per_s: float
    figures: tuple[Figure, ...]


async def measure_write(stage: Stage, workload: Workload, actions: int) -> WriteRun:
    """Fill `actions` with creations and changes, then let one worker work it off.

    The clock runs from the first partition that runs until the last offset is committed, and
    until every required read model has reached the end; the creations are work that is not counted.
    """
    await stage.fill(
        stage.topics.actions,
        workload.creations(),
        what="Creating documents",
        total=2 * workload.documents,
    )
    await stage.fill(
        stage.topics.actions,
        workload.changes(actions, per_job=1),
        what="Filling the topic",
        total=actions,
    )
    ends = await ends_of(stage, stage.actions)
    broker_before = stage.broker_usage()
    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        await worker.ready()
        before = worker.usage()
        written_s = await meter.consumed(ends, worker)
        viewed_s = await meter.viewed(worker)
        read_s = await meter.ready(worker)
        # What is shown was written: offsets are asked for less often than positions are told.
        written_s = min(written_s, viewed_s)
        after = worker.usage()
        since_s = meter.running_since_s()
    broker_after = stage.broker_usage()
    used_s = after.cpu_s - before.cpu_s
    write_per_s = actions / (written_s - since_s)
    read_per_s = actions / (read_s - since_s)
    figures = [
        Figure("actions to operations", write_per_s, "actions/s", "at least 25,000"),
        Figure("actions to the view", actions / (viewed_s - since_s), "actions/s"),
        Figure("actions to READ_READY", read_per_s, "actions/s", "at least 18,000"),
        Figure("processor per action, worker", used_s / actions * 1e6, "µs"),
        Figure("worker's share of a core", used_s / (read_s - since_s) * 100, "%"),
        Figure("memory, worker, most", meter.memory_max() / 2**20, "MiB"),
    ]
    if broker_before is not None and broker_after is not None:
        used = broker_after.cpu_s - broker_before.cpu_s
        figures.append(Figure("processor per action, Kafka", used / actions * 1e6, "µs"))
    return WriteRun(write_per_s, read_per_s, tuple(figures))
