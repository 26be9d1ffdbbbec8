"""How the write cache does in the reducer: hit rate, and what it saves an action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from time import perf_counter

from docreactor.agents.write_side import WriteSide
from docreactor.bench.growth import DOCUMENT_TYPE, Growing, growing, growth, stream_of
from docreactor.bench.report import Figure
from docreactor.gateway.testing import create_test_write_cache
from docreactor.tables.rocks import RocksStore

_RATIO = 0.3
_JOBS_PER_BATCH = 50
_ACTIONS_MAX = 3
_BACK_MAX = 20
_HISTORY = 100
_SEED = 7


@dataclass(frozen=True, slots=True)
class Mix:
    """Of so many steps, 7 in 10 are jobs, 2 read a state, 1 reads a past one.

    With `skew` 0 every document is as likely as the other; with 1 the n-th is 1/n as likely as
    the first.
    """

    name: str
    documents: int
    steps: int
    skew: float

    def batches(self) -> Iterator[Sequence[tuple[str, str]]]:
        """What is asked for and of which document, so much at a time as one fetch may bring."""
        random = Random(_SEED)
        weights = list(accumulate((n + 1) ** -self.skew for n in range(self.documents)))
        kinds = random.choices(("job", "read", "past"), (7, 2, 1), k=self.steps)
        numbers = random.choices(range(self.documents), cum_weights=weights, k=self.steps)
        steps = [(kind, f"d{number}") for kind, number in zip(kinds, numbers, strict=True)]
        for start in range(0, self.steps, _JOBS_PER_BATCH):
            yield steps[start : start + _JOBS_PER_BATCH]


async def measure_mix(directory: Path, mix: Mix, *, goal: str) -> list[Figure]:
    """The hit rate from the moment on when every document has been created."""
    store = RocksStore.open(directory)
    with create_test_write_cache(growth, store=store) as side:
        asked = await growing(side, _RATIO)
        for number in range(mix.documents):
            await side.create(DOCUMENT_TYPE, f"d{number}")
            await side.submit(f"d{number}", asked.actions(1))
        before = side.cache.figures()
        await _run(side, mix, asked)
        after = side.cache.figures()
    hits, warm = after.hits - before.hits, after.warm - before.warm
    cold = after.cold - before.cold
    name = f"mixed workload, {mix.name}"
    return [
        Figure(f"{name}: hit rate", hits / (hits + warm + cold) * 100, "%", goal),
        Figure(f"{name}: warm", warm, "answers"),
        Figure(f"{name}: cold", cold, "answers"),
        Figure(f"{name}: streams evicted", after.evicted - before.evicted, "streams"),
    ]


async def _run(side: WriteSide, mix: Mix, asked: Growing) -> None:
    random = Random(_SEED)
    for batch in mix.batches():
        jobs = [
            side.job(stream_of(document_id), asked.actions(random.randint(1, _ACTIONS_MAX)))
            for kind, document_id in batch
            if kind == "job"
        ]
        await side.run(jobs)
        for kind, document_id in batch:
            stream = stream_of(document_id)
            if kind == "read":
                await side.cache.get(stream)
            elif kind == "past":
                head = side.operations.head(stream)
                newest = -1 if head is None else head.next_index - 1
                await side.cache.get(stream, max(0, newest - random.randint(1, _BACK_MAX)))


async def measure_saving(directory: Path, actions: int) -> list[Figure]:
    """An action on a document of 100 operations, and the same when nothing is cached or kept."""
    store = RocksStore.open(directory)
    with create_test_write_cache(growth, store=store, keyframe_interval=10**9) as side:
        asked = await growing(side, _RATIO)
        took = {is_cached: 0.0 for is_cached in (True, False)}
        for is_cached in took:
            document_id = f"cached-{is_cached}"
            await side.create(DOCUMENT_TYPE, document_id)
            await side.submit(document_id, asked.actions(_HISTORY))
            for _ in range(actions):
                records = side.records([side.job(stream_of(document_id), asked.actions(1))])
                if not is_cached:
                    side.cache.clear()
                since = perf_counter()
                side.write(await side.decide(records))
                took[is_cached] += perf_counter() - since
    name = f"one action on a document of {_HISTORY} operations"
    return [
        Figure(f"{name}, cached", took[True] / actions * 1e6, "µs"),
        Figure(f"{name}, without cache and keyframes", took[False] / actions * 1e6, "µs"),
        Figure(f"{name}: faster with the cache", took[False] / took[True], "times"),
    ]
