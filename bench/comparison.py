"""What plain Faust reaches with the same work, on the same Kafka."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from docreactor.agents.log import TopicPartition
from docreactor.bench.report import Figure
from docreactor.bench.stage import Stage
from docreactor.bench.usage import usage_of
from docreactor.bench.workload import Workload
from docreactor.gateway.broker.progress import Step
from docreactor.pipeline.errors import MeasurementFailedError
from docreactor.pipeline.topics import TopicDeclaration

_POLL_S = 0.1
_STOP_TIMEOUT_S = 10.0
_START_TIMEOUT_S = 60.0
_PROGRAM = "docreactor.bench.plain_faust:app"


class FaustRun(NamedTuple):
    """What the program reached."""

    actions: int
    actions_per_s: float
    cpu_s: float

    def figures(self, write_per_s: float, read_per_s: float) -> list[Figure]:
        """What it reached, and how many times that we did in the same run."""
        return [
            Figure(
                "plain Faust, at least once, with a RocksDB table", self.actions_per_s, "actions/s"
            ),
            Figure("plain Faust, processor per action", self.cpu_s / self.actions * 1e6, "µs"),
            Figure(
                "to operations, times plain Faust",
                write_per_s / self.actions_per_s,
                "",
                "at least 10",
            ),
            Figure("to READ_READY, times plain Faust", read_per_s / self.actions_per_s),
        ]


async def measure_faust(stage: Stage, workload: Workload, actions: int) -> FaustRun:
    """The clock runs from its first result until its last."""
    count = stage.settings.partitions
    source, target = _topics(stage)
    await stage.log.create([TopicDeclaration(topic, count, {}) for topic in (source, target)])
    jobs = workload.changes(actions, per_job=1)
    await stage.fill(source, jobs, what="Filling Faust's topic", total=actions)
    async with _faust(stage) as process:
        since_s, first = await _results(stage, process, at_least=1)
        until_s, last = await _results(stage, process, at_least=actions)
        cpu_s = usage_of(process.pid).cpu_s
    return FaustRun(actions, (last - first) / (until_s - since_s), cpu_s)


async def _results(
    stage: Stage, process: asyncio.subprocess.Process, *, at_least: int
) -> tuple[float, int]:
    """When so many results stood on the log, and how many did then."""
    _, target = _topics(stage)
    results = [TopicPartition(target, number) for number in range(stage.settings.partitions)]
    begun_s = time.monotonic()
    while True:
        done = sum((await stage.log.end_offsets(results)).values())
        now_s = time.monotonic()
        stage.progress(Step("Plain Faust", done, at_least))
        if done >= at_least:
            return now_s, done
        if process.returncode is not None or (not done and now_s - begun_s > _START_TIMEOUT_S):
            raise MeasurementFailedError(f"the Faust program did not work; see {_journal(stage)}")
        await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def _faust(stage: Stage) -> AsyncIterator[asyncio.subprocess.Process]:
    source, target = _topics(stage)
    environment = {
        **os.environ,
        "DOCREACTOR_BENCH_FAUST_GROUP": f"{stage.settings.app}-faust",
        "DOCREACTOR_BENCH_FAUST_SOURCE": source,
        "DOCREACTOR_BENCH_FAUST_TARGET": target,
        "DOCREACTOR_BENCH_FAUST_BROKER": stage.broker.bootstrap_servers,
        "DOCREACTOR_BENCH_FAUST_DATA": str(stage.settings.data / "faust"),
        "DOCREACTOR_BENCH_FAUST_PARTITIONS": str(stage.settings.partitions),
    }
    command = ("-m", "faust", "-A", _PROGRAM, "worker", "--without-web", "--loglevel=warn")
    with _journal(stage).open("ab") as journal:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=journal,
            stderr=journal,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _topics(stage: Stage) -> tuple[str, str]:
    """Where its jobs come from, and where its results go."""
    return f"{stage.settings.app}.faust-actions", f"{stage.settings.app}.faust-operations"


def _journal(stage: Stage) -> Path:
    return stage.settings.data / "faust.log"
