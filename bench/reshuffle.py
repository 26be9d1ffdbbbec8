"""What late arrivals cost: how much they make the log grow, and how long moving takes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from random import Random
from time import perf_counter

from docreactor.agents.staging import Staging
from docreactor.agents.write_side import WriteSide
from docreactor.bench.machine import machine
from docreactor.bench.report import Figure, Report
from docreactor.bench.stock import DOCUMENT_TYPE, stock
from docreactor.bench.workload import SCOPE, Workload
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.pipeline.errors import MeasurementFailedError
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.job import Incoming, Load, Mutation, decode_job
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.memory import MemoryStore

BATCHES = (1, 10, 100, 1_000)
"""Loads in one fetched batch, each of one operation."""
LATE_SHARES = (0.0, 0.01, 0.1, 0.5)
_STREAM = Stream("stock", SCOPE, DEFAULT_BRANCH)
_BEGIN_US = 1_800_000_000_000_000
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Late:
    """Actions of each run, after how many younger ones a late one comes, and one whole stream."""

    actions: int = 2_000
    late_by: int = 200
    stream: int = 100_000


@dataclass(frozen=True, slots=True)
class Growth:
    """What a run stored: fresh operations, and those that it stored again behind them."""

    fresh: int
    moved: int
    took_s: float

    @property
    def stored_per_action(self) -> float:
        """Operations on the log for each action."""
        return (self.fresh + self.moved) / self.fresh

    @property
    def stored_us(self) -> float:
        """Microseconds for each operation on the log, moved or not."""
        return self.took_s / (self.fresh + self.moved) * 1e6


@dataclass(frozen=True, slots=True)
class Head:
    """One action placed before a whole stream; for `stretch_s` the loop had no turn."""

    moved: int
    bytes: int
    took_s: float
    stretch_s: float


def take_late(measurement: Late, *, progress: Progress) -> Report:
    """Take the measurement. MeasurementFailed when a load is refused."""
    before = machine()
    with asyncio.Runner() as runner:
        figures = runner.run(_measure(measurement, progress))
    return Report("reshuffle", asdict(measurement), figures, before)


async def _measure(asked: Late, progress: Progress) -> list[Figure]:
    """Growth for each size of a batch and share of late arrivals; then the bound on its cost."""
    figures = [Figure("tables", "in memory, without a Kafka")]
    total, done = len(BATCHES) * len(LATE_SHARES), 0
    for batch in BATCHES:
        for share in LATE_SHARES:
            progress(Step("Loading what comes late", done, total))
            growth = await measure_growth(
                asked.actions, batch=batch, share=share, late_by=asked.late_by
            )
            name = f"{batch:,} a batch, {share:.0%} late"
            figures += [
                Figure(f"{name}: stored per action", growth.stored_per_action, "operations"),
                Figure(f"{name}: per operation stored", growth.stored_us, "µs"),
            ]
            done += 1
    progress(Step("Filling a stream"))
    head = await measure_head(asked.stream)
    name = f"one action before {asked.stream:,}"
    return [
        *figures,
        Figure(name, head.took_s, "s"),
        Figure(f"{name}: per moved operation", head.took_s / head.moved * 1e6, "µs"),
        Figure(f"{name}: one transaction of", head.bytes / 2**20, "MiB"),
        Figure(f"{name}: longest without other work", head.stretch_s * 1_000, "ms", "at most 50"),
    ]


async def measure_growth(actions: int, *, batch: int, share: float, late_by: int) -> Growth:
    """Load a stream's actions as they arrive, `batch` loads at a time.

    A late one arrives after up to `late_by` others that are younger.
    """
    side = await _open()
    chance = Random(1)
    operations = list(islice(_operations(actions), actions))
    delays = [chance.randint(1, late_by) if chance.random() < share else 0 for _ in operations]
    arriving = sorted(range(actions), key=lambda at: (at + delays[at], delays[at]))
    moved = 0
    since = perf_counter()
    for start in range(0, actions, batch):
        loads = [_load([operations[at]], at) for at in arriving[start : start + batch]]
        staging = await _run(side, loads)
        moved += staging.placed.count(None)
    return Growth(actions, moved, perf_counter() - since)


async def measure_head(stream: int) -> Head:
    """Place one action before a stream of so many."""
    side = await _open(stream)
    first, *operations = islice(_operations(stream + 1), stream + 1)
    for start in range(0, stream, _AT_ONCE):
        await _run(side, [_load(operations[start : start + _AT_ONCE], start)])
    stretch = _Stretch()
    watching = asyncio.create_task(stretch.watch())
    since = perf_counter()
    staging = await _run(side, [_load([first], stream)])
    took_s = perf_counter() - since
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    size = sum(len(entry.value or b"") for entry in staging.operations)
    return Head(staging.placed.count(None), size, took_s, stretch.longest_s)


class _Stretch:
    """How long the loop gave nobody else a turn."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        before = perf_counter()
        while True:
            await asyncio.sleep(0)
            now = perf_counter()
            self.longest_s = max(self.longest_s, now - before)
            before = now


async def _open(rows_max: int = 0) -> WriteSide:
    bound = max(Settings().reshuffle_rows_max, rows_max)
    side = WriteSide(Registry([stock]), Settings(reshuffle_rows_max=bound), MemoryStore())
    await side.create(DOCUMENT_TYPE, _STREAM.document_id)
    return side


async def _run(side: WriteSide, loads: Sequence[Load]) -> Staging:
    staging = await side.reduce(loads)
    side.write(staging)
    failed = [ended.error for ended in staging.ended if ended.error is not None]
    if failed:
        raise MeasurementFailedError(f"a load was refused: {failed[0]}")
    return staging


def _load(operations: Sequence[Incoming], number: int) -> Load:
    document_id, scope, branch = _STREAM
    return Load(f"load-{number}-0", document_id, branch, scope, tuple(operations))


def _operations(count: int) -> Iterator[Incoming]:
    """One a millisecond."""
    changes = Workload(partitions=1, documents=1).changes(count, per_job=1)
    for number, change in enumerate(changes):
        job = decode_job(change.entry.value or b"")
        assert isinstance(job, Mutation), "changes are mutations"
        (action,) = job.actions
        timestamp = render(Microseconds(_BEGIN_US + number * 1_000))
        yield Incoming(
            StoredAction(action.id, action.type, SCOPE, timestamp, action.input, action.context)
        )
