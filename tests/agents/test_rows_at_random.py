"""Rows that are derived anew are those that were kept all along, whatever happened on the way."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from zlib import crc32

import pytest

from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.tables.memory import MemoryStore
from tests.agents.test_row_batch import erase
from tests.support.drawn_history import History, create
from tests.support.kept_models import Counts, Standing, States
from tests.support.oracle import effective, words_of
from tests.support.replicas import Replica
from tests.support.row_keeping import RowKeeping, by_chance
from tests.support.seeds import Seeds

NAMES = ("a", "b", "c")
MODELS = (States, Standing, Counts)


class Moody(ReadModel):
    """As another one, and fails at some operations while it is moody."""

    name = "moody"

    def __init__(self, inner: ReadModel) -> None:
        self.inner = inner
        self.is_moody = True

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        for change in batch:
            waiting = self.inner.apply([change], writer)
            if waiting is not None:
                await waiting
            if self.is_moody and change.scope != "document" and _is_odd(change):
                raise ValueError(f"in no mood for {change.offset}")

    def forget(self, document_id: str, writer: Writer) -> None:
        self.inner.forget(document_id, writer)


def _is_odd(change: Change) -> bool:
    return change.operation is not None and not crc32(change.operation.id.encode()) % 9


def _kept(keeping: RowKeeping) -> list[tuple[bytes, bytes]]:
    """Every row of the author's, and who is set aside for what."""
    rows = list(keeping.store.scan(b"r/", b"r0"))
    return rows + [
        (name.encode(), repr(sorted(one.items())).encode()) for name, one in _aside(keeping)
    ]


def _aside(keeping: RowKeeping) -> list[tuple[str, dict[str, object]]]:
    return sorted(keeping.asides.items())


async def _anew(keeping: RowKeeping, model: ReadModel, chance: random.Random) -> RowKeeping:
    """Another generation, built over the same log."""
    anew = RowKeeping(keeping.replica, model, MemoryStore(), place=keeping.place)
    await anew.feed(by_chance(chance))
    return anew


async def _lived(
    model: ReadModel, chance: random.Random, *, moody: Moody | None = None
) -> RowKeeping:
    """A read model that was fed while documents were written, with restarts and erasures."""
    replica = Replica("r")
    keeping = RowKeeping(replica, model)
    for name in NAMES:
        await create(replica, name)
    history = History(replica, chance, list(NAMES))
    for _ in range(chance.randint(3, 8)):
        await history.write(chance.randint(1, 5))
        if chance.random() < 0.5:
            await keeping.feed(by_chance(chance))
        if chance.random() < 0.3:
            await keeping.projection.close()
            keeping.again(model)
        if chance.random() < 0.3:
            keeping.deployment.shelf.take(0).write.cache.clear()
        if moody is not None and chance.random() < 0.5:
            await _retry_all(keeping, moody)
        if chance.random() < 0.1 and len(history.document_ids) > 1:
            gone = history.document_ids.pop()
            erase(replica, gone)
            rows = list(replica.store.keys(f"o/{gone}/".encode(), f"o/{gone}0".encode()))
            replica.store.write([(key, None) for key in rows], {}, now_ms=1)
    await keeping.feed(by_chance(chance))
    return keeping


async def _retry_all(keeping: RowKeeping, moody: Moody) -> None:
    moody.is_moody = False
    for name, _ in _aside(keeping):
        await keeping.retry(name)
    assert keeping.asides == {}
    moody.is_moody = True


def _stored(replica: Replica) -> Iterator[tuple[Stream, list[Operation]]]:
    for name in NAMES:
        for scope in ("document", "global", "local"):
            stream = Stream(name, scope, "main")
            if stored := replica.stored(stream):
                yield stream, stored


def _states(replica: Replica) -> dict[str, object]:
    """What the rules say that `States` holds of the words of documents that are there."""
    rows: dict[str, object] = {}
    counts: Counter[str] = Counter()
    for stream, stored in _stored(replica):
        if stream.scope != "document":
            state = words_of(effective(stored))
            rows[f"of/{stream.document_id}/{stream.scope}/main"] = state
            counts.update(f"word/{word}" for word in state.get("words", ()))
    return rows | counts


def _standing(replica: Replica) -> dict[str, object]:
    return {
        f"{stream.document_id}/{stream.scope}/main/{one.index:05d}": one.action.id
        for stream, stored in _stored(replica)
        for one in effective(stored)
    }


def _counts(replica: Replica) -> dict[str, object]:
    return dict(
        Counter(
            f"{stream.document_id}/{one.action.id}/{stream.scope}"
            for stream, stored in _stored(replica)
            for one in stored
        )
    )


WANTED: Mapping[type[ReadModel], Callable[[Replica], dict[str, object]]] = {
    States: _states,
    Standing: _standing,
    Counts: _counts,
}


def _check(keeping: RowKeeping, model: ReadModel) -> None:
    """The rows are what the rules say, and nobody is set aside."""
    is_left_out = "/document/" if isinstance(model, States) else "nothing"
    rows = {key: value for key, value in keeping.rows.items() if is_left_out not in key}
    assert rows == WANTED[type(model)](keeping.replica)
    assert keeping.asides == {}


async def _live_and_derive(seed: int) -> None:
    chance = random.Random(seed)
    model: ReadModel = chance.choice(MODELS)()
    if chance.random() < 0.5:
        model = Moody(model)
    keeping = await _lived(model, chance)
    anew = await _anew(keeping, model, chance)
    assert _kept(anew) == _kept(keeping)
    if not isinstance(model, Moody):
        _check(keeping, model)


async def _recover(seed: int) -> None:
    chance = random.Random(seed)
    inner = chance.choice(MODELS)()
    moody = Moody(inner)
    keeping = await _lived(moody, chance, moody=moody)
    await _retry_all(keeping, moody)
    healthy = await _anew(keeping, inner, chance)
    assert _kept(keeping) == _kept(healthy)
    _check(keeping, inner)


@pytest.mark.seeds(120, each=20)
def test_rows_derived_anew_are_those_that_were_kept(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            asyncio.run(_live_and_derive(seed))


@pytest.mark.seeds(60, each=20)
def test_when_everything_was_retried_nothing_tells_that_it_ever_failed(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            asyncio.run(_recover(seed))


@pytest.mark.nightly
@pytest.mark.seeds(3_000, each=100)
def test_rows_derived_anew_are_those_that_were_kept_from_very_many_seeds(seeds: Seeds) -> None:
    test_rows_derived_anew_are_those_that_were_kept(seeds)
    test_when_everything_was_retried_nothing_tells_that_it_ever_failed(seeds)
