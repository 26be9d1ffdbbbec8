"""How soon a state is had: cached, a few operations behind, and cold, with keyframes and without.

The same histories are written in three ways, batch by batch in turn: without keyframes, and under
each policy. So what keyframes cost is measured on the way.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from time import perf_counter, process_time
from typing import Any, NamedTuple

from docreactor.agents.write_side import WriteSide
from docreactor.bench.growth import DOCUMENT_TYPE, Growing, growing, growth, stream_of
from docreactor.bench.report import Figure
from docreactor.gateway.testing import create_test_write_cache
from docreactor.tables.rocks import RocksStore

NONE, ADAPTIVE, FIXED = "no keyframes", "adaptive", "fixed"
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    NONE: {"keyframe_interval": 10**9},
    ADAPTIVE: {"keyframe_policy": "adaptive"},
    FIXED: {"keyframe_policy": "fixed"},
}
_PER_JOB = 10
_BEHIND = 10
_READS = 3
_HITS = 1_000
# Each document is shorter than the one before: their ends lie anywhere between keyframes.
_SHORTEST = 0.89


@dataclass(frozen=True, slots=True)
class Histories:
    """`documents` of about so many operations, whose states grow by `ratio` of them."""

    operations: int
    ratio: float
    documents: int

    @property
    def lengths(self) -> Mapping[str, int]:
        """How many operations each document gets."""
        shorter = self.operations * (1 - _SHORTEST) / self.documents
        return {f"d{n}": round(self.operations - shorter * n) for n in range(self.documents)}

    @property
    def name(self) -> str:
        """What the figures call them."""
        return f"{self.operations:,} operations, growth {self.ratio}"


class Put(NamedTuple):
    """What writing took: on the clock, and of the processor by every thread of this process."""

    wall_s: float
    cpu_s: float


NOTHING = Put(0.0, 0.0)


@dataclass(slots=True)
class Way:
    """One way of keeping keyframes, with tables of its own."""

    side: WriteSide
    put: Put = NOTHING

    @contextmanager
    def putting(self) -> Iterator[None]:
        """Count the block."""
        since, since_cpu = perf_counter(), process_time()
        yield
        wall_s, cpu_s = perf_counter() - since, process_time() - since_cpu
        self.put = Put(self.put.wall_s + wall_s, self.put.cpu_s + cpu_s)


async def measure_rebuild(directory: Path, histories: Histories, passes: int) -> list[Figure]:
    """Write the histories so many times in each way; read them once in each."""
    puts: list[dict[str, Put]] = []
    figures: list[Figure] = []
    for number in range(passes):
        with ExitStack() as opened, _uncollected():
            ways = {way: _open(opened, directory / f"{number}-{way}", way) for way in _SETTINGS}
            await _write(ways, histories)
            puts.append({way: one.put for way, one in ways.items()})
            if not number:
                cold_s = {way: await _cold(one.side, histories) for way, one in ways.items()}
                figures += _cold_figures(histories, cold_s)
                figures += await _near_figures(ways[NONE].side, histories, cold_s[NONE])
    return figures + _overhead_figures(histories, puts)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no collection of garbage fall to one of the ways, batch after batch the same."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _open(opened: ExitStack, directory: Path, way: str) -> Way:
    store = RocksStore.open(directory)
    place = create_test_write_cache(growth, store=store, **_SETTINGS[way])
    return Way(opened.enter_context(place))


async def _write(ways: Mapping[str, Way], histories: Histories) -> None:
    """Give every way the same batches, in turn: what disturbs one disturbs all."""
    asked: dict[str, Growing] = {}
    for way, one in ways.items():
        asked[way] = await growing(one.side, histories.ratio)
        for document_id in histories.lengths:
            await one.side.create(DOCUMENT_TYPE, document_id)
    order = list(ways)
    for batch in _batches(histories):
        order.append(order.pop(0))
        for way in order:
            side = ways[way].side
            jobs = [side.job(stream_of(one), asked[way].actions(n)) for one, n in batch.items()]
            records = side.records(jobs)
            with ways[way].putting():
                side.write(await side.decide(records))
    for one in ways.values():
        with one.putting():
            one.side.store.flush()


def _batches(histories: Histories) -> Iterator[Mapping[str, int]]:
    """How many operations each document gets next."""
    left = dict(histories.lengths)
    while left:
        yield {document_id: min(_PER_JOB, count) for document_id, count in left.items()}
        left = {one: count - _PER_JOB for one, count in left.items() if count > _PER_JOB}


async def _cold(side: WriteSide, histories: Histories) -> float:
    """Seconds that reading a head takes when nothing is cached."""
    took: list[float] = []
    for document_id in histories.lengths:
        reads: list[float] = []
        for _ in range(_READS):
            side.cache.clear()
            reads.append(await _timed(side, document_id))
        # The fastest: what disturbs a read only adds to it.
        took.append(min(reads))
    return mean(took)


async def _timed(side: WriteSide, document_id: str) -> float:
    stream = stream_of(document_id)
    since = perf_counter()
    await side.cache.get(stream)
    return perf_counter() - since


def _cold_figures(histories: Histories, cold_s: Mapping[str, float]) -> list[Figure]:
    name = f"cold read, {histories.name}"
    goal = "at least 10" if histories.operations >= 1_000 else ""
    return [
        *(Figure(f"{name}, {way}", took_s * 1_000, "ms") for way, took_s in cold_s.items()),
        *(
            Figure(f"{name}, {way}: faster", cold_s[NONE] / cold_s[way], "times", goal)
            for way in (ADAPTIVE, FIXED)
        ),
    ]


async def _near_figures(side: WriteSide, histories: Histories, cold_s: float) -> list[Figure]:
    """What is cached, or nearly."""
    warm: list[float] = []
    hits: list[float] = []
    known: list[float] = []
    for document_id, length in histories.lengths.items():
        stream = stream_of(document_id)
        side.cache.clear()
        await side.cache.get(stream, length - 1 - _BEHIND)
        warm.append(await _timed(side, document_id))
        hits.append(median([await _timed(side, document_id) for _ in range(_HITS)]))
        since = perf_counter()
        for _ in range(_HITS):
            side.cache.newest(stream)
        known.append((perf_counter() - since) / _HITS)
    name = histories.name
    return [
        Figure(f"warm read, {_BEHIND} operations behind, {name}", mean(warm) * 1_000, "ms"),
        Figure(f"hit, {name}", mean(hits) * 1e6, "µs"),
        Figure(f"hit, {name}: faster than without a cache", cold_s / mean(hits), "times"),
        Figure(f"hit of the reducer, {name}", mean(known) * 1e6, "µs"),
    ]


def _overhead_figures(histories: Histories, puts: list[dict[str, Put]]) -> list[Figure]:
    """Of several passes the one in the middle."""
    count = sum(histories.lengths.values())
    bare_s = median([one[NONE].wall_s for one in puts])
    name = f"put_state, {histories.name}"
    figures = [Figure(f"{name}, {NONE}", bare_s / count * 1e6, "µs per operation")]
    for way in (ADAPTIVE, FIXED):
        wall = median([one[way].wall_s / one[NONE].wall_s for one in puts])
        cpu = median([one[way].cpu_s / one[NONE].cpu_s for one in puts])
        figures += [
            Figure(f"{name}, {way}: overhead", (wall - 1) * 100, "%", "under 5"),
            Figure(f"{name}, {way}: overhead, processor", (cpu - 1) * 100, "%", "under 5"),
        ]
    return figures
