"""What can be measured, each in a place of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from docreactor.agents.journal import named
from docreactor.bench.comparison import measure_faust
from docreactor.bench.hot import measure_hot
from docreactor.bench.latency import Paces, measure_latency
from docreactor.bench.machine import machine
from docreactor.bench.read import Sizes, measure_read
from docreactor.bench.report import Figure, Report
from docreactor.bench.restart import measure_restart
from docreactor.bench.stage import Stage, open_stage
from docreactor.bench.trace import read_trace
from docreactor.bench.workload import Workload
from docreactor.bench.write import measure_write
from docreactor.gateway.broker.progress import Progress


class Measurement(Protocol):
    """How a measurement was asked for, in its fields, and how it is taken."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def partitions(self) -> int:
        """Partitions of every topic."""
        ...

    async def measure(self, stage: Stage) -> Sequence[Figure]:
        """Take it. MeasurementFailed when something went wrong on the way."""
        ...


@dataclass(frozen=True, slots=True)
class Write:
    """Throughput. `faust_actions` 0 and `restart_operations` None leave these parts out."""

    actions: int = 200_000
    documents: int = 2_000
    partitions: int = 8
    faust_actions: int = 20_000
    restart_operations: int | None = None

    @property
    def name(self) -> str:
        return "write"

    async def measure(self, stage: Stage) -> Sequence[Figure]:
        workload = Workload(self.partitions, self.documents)
        run = await measure_write(stage, workload, self.actions)
        figures = list(run.figures)
        if self.faust_actions:
            faust = await measure_faust(stage, workload, self.faust_actions)
            figures += faust.figures(run.write_per_s, run.read_per_s)
        if self.restart_operations is not None:
            present = self.actions + 2 * self.documents
            figures += await measure_restart(
                stage, workload, self.restart_operations, present=present
            )
        return figures


@dataclass(frozen=True, slots=True)
class Latency:
    """Waiting, at one open loop's rate among others."""

    seconds: float = 60.0
    rate: float = 400.0
    documents: int = 2_000
    partitions: int = 8

    @property
    def name(self) -> str:
        return "latency"

    async def measure(self, stage: Stage) -> Sequence[Figure]:
        workload = Workload(self.partitions, self.documents)
        warm_up_s = min(Paces().warm_up_s, self.seconds)
        paces = Paces(open_per_s=self.rate, open_s=self.seconds, warm_up_s=warm_up_s)
        return await measure_latency(stage, workload, paces)


@dataclass(frozen=True, slots=True)
class Read:
    """Reading, and how soon there is something to read. `reads` is how many of each kind."""

    actions: int = 100_000
    operations: int = 1_000_000
    documents: int = 2_000
    edges: int = 1_000_000
    reads: int = 1_000
    partitions: int = 8

    @property
    def name(self) -> str:
        return "read"

    async def measure(self, stage: Stage) -> Sequence[Figure]:
        workload = Workload(self.partitions, self.documents)
        sizes = Sizes(self.actions, self.operations, self.edges, self.reads)
        return await measure_read(stage, workload, sizes)


@dataclass(frozen=True, slots=True)
class Hot:
    """One document. `edits` None takes the whole recording."""

    per_job: int = 200
    edits: int | None = None
    partitions: int = 8

    @property
    def name(self) -> str:
        return "hot"

    async def measure(self, stage: Stage) -> Sequence[Figure]:
        trace = read_trace()
        if self.edits is not None:
            trace = trace.head(self.edits)
        return await measure_hot(stage, trace, self.per_job)


def take(measurement: Measurement, *, directory: Path | None, progress: Progress) -> Report:
    """Take one measurement: a Kafka, its topics and its workers come and go with it."""

    before = machine()

    async def run() -> Sequence[Figure]:
        async with open_stage(
            partitions=measurement.partitions, directory=directory, progress=progress
        ) as stage:
            return await measurement.measure(stage)

    with asyncio.Runner() as runner:
        try:
            figures = runner.run(run())
        except BaseExceptionGroup as group:
            error = named(group)
            if error is None:
                raise
            raise error from group
    return Report(measurement.name, asdict(measurement), figures, before)
