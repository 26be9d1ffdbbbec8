"""A rebuild derives every document's edges anew, and publishes only what differs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from docreactor.agents.edge_record import position_entry
from docreactor.agents.edge_refold import EdgeRefold
from docreactor.agents.log import Entry
from docreactor.pipeline.errors import FencedError, LogError
from docreactor.pipeline.position import Offset
from docreactor.tables.edges import EdgesTable
from docreactor.tables.operations import OperationsTable
from tests.support.relating import (
    History,
    Publisher,
    aside_in,
    folded,
    only_edges,
    publisher,
    publishing,
)
from tests.support.steps import Steps


class Away(Steps):
    """A log that fails so many times at a step."""

    step = ""
    times = 0

    async def __call__(self, step: str) -> None:
        await super().__call__(step)
        if step == self.step and self.times:
            self.times -= 1
            raise LogError("the log is away")


async def _damaged(history: History) -> None:
    """A topic that says of edges what no operation does, at the position of the end."""
    history.add("a", "x")
    history.add("b", "x")
    await history.write()
    async with publishing(history) as one:
        stood = folded(one.topic)
    edge = stood[b"a/main/child/x"]
    entries = [
        Entry(b"a/main/child/y", edge.replace(b'"x"', b'"y"')),
        Entry(b"a/draft/child/y", edge.replace(b'"x"', b'"y"').replace(b"main", b"draft")),
        Entry(b"nobody/main/child/x", edge.replace(b'"a"', b'"nobody"')),
        Entry(b"b/main/child/x", None),
        position_entry(Offset(history.end)),
    ]
    await history.place.write(history.place.topics.relationships, *entries)


async def _refolded(one: Publisher) -> list[float]:
    told: list[float] = []
    await one.agent.refold(told.append, stored=one.history.stored)
    return told


async def test_edges_that_are_wrong_missing_or_of_nobody_are_put_right() -> None:
    history = History()
    await _damaged(history)
    async with publishing(history) as one:
        assert one.rows != history.expected()
        before = len(one.topic)
        told = await _refolded(one)
        one.check()
        assert told[-1] == 1.0
        assert len(one.topic) == before + 5


async def test_nothing_is_published_where_nothing_differs() -> None:
    history = History()
    for number in range(450):
        history.add(f"a{number}", "x")
    await history.write()
    async with publishing(history, size=500) as one:
        before = len(one.topic)
        told = await _refolded(one)
        assert len(one.topic) == before
        assert told == sorted(told)
        assert len(told) == 4


async def test_documents_are_derived_in_parts_that_are_bounded_by_their_histories() -> None:
    history = History()
    for number in range(3):
        for _ in range(150):
            history.add(f"a{number}", "x")
            history.remove(f"a{number}", "x")
        history.add(f"a{number}", "x")
    await history.write()
    calls: list[list[str]] = []

    async def derive(document_ids: Sequence[str]) -> int:
        calls.append(list(document_ids))
        return 2

    table = EdgesTable(history.place.open_store("empty"))
    refold = EdgeRefold(OperationsTable(history.write_store), table)
    assert await refold.run(derive, lambda _: None) == 4
    assert calls == [["a0", "a1", "a2"], ["a2"]]


async def test_documents_are_met_once_in_the_order_of_their_keys() -> None:
    history = History()
    names = [f"d{number}" for number in range(230)] + ["d1-", "d1.5", "d1~"]
    for name in names:
        history.add(name, "x")
    await history.write()
    async with publishing(history, size=500) as one:
        met: list[str] = []

        async def derive(document_ids: Sequence[str]) -> int:
            met.extend(document_ids)
            return len(document_ids)

        history.write_store.write(
            [(key, None) for key in history.write_store.keys(b"h/d3", b"h/d4")],
            {},
            now_ms=1,
        )
        refold = EdgeRefold(OperationsTable(history.write_store), one.agent.table)
        assert await refold.run(derive, lambda _: None) == len(names)
        assert met == sorted(names, key=lambda name: f"{name}/")


async def test_batches_are_applied_meanwhile_and_nothing_is_taken_before_its_time() -> None:
    history = History()
    for number in range(600):
        history.update(f"a{number}", "x", metadata="too early")
    await history.write()
    async with publishing(history, size=700) as one:
        for number in range(600):
            history.add(f"a{number}", "x", metadata="in time")
        await history.write()
        one.size = 50
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_refolded(one))
            tasks.create_task(one.run())
        one.check()


async def test_a_document_that_was_set_aside_is_taken_back_or_set_aside_again() -> None:
    history = History()
    history.add("a", "x")
    history.tell("a", "UNDO")
    history.spoil("b")
    history.add("b", "y")
    await history.write(stored=False)
    store = history.write_store
    await history.stored(history.end - 1)
    key = b"o/a/document/main/0000000000"
    lost = store.get(key)
    store.write([(key, None)], {}, now_ms=1)
    async with publishing(history) as one:
        assert set(aside_in(folded(one.topic))) == {"a", "b"}
        store.write([(key, lost)], {}, now_ms=1)
        await _refolded(one)
        assert aside_in(folded(one.topic)) == {"b": "CorruptHistory"}


@pytest.mark.parametrize("step", ["begin", "commit", "committed"])
async def test_a_log_that_is_away_for_a_while_ends_no_rebuild(step: str) -> None:
    history = History()
    await _damaged(history)
    away = Away()
    async with publishing(history, hook=away) as one:
        away.step, away.times = step, 2
        await _refolded(one)
        one.check()
        away.times = 0
        history.add("c", "x")
        await history.write()
        await one.run()
        one.check()


async def test_whoever_was_fenced_derives_no_more() -> None:
    history = History()
    await _damaged(history)
    async with publishing(history, host="A") as old:
        other = publisher(history, host="B")
        await other.open()
        with pytest.raises(FencedError):
            await _refolded(old)
        await other.run()
        assert only_edges(folded(other.topic)) == other.rows
