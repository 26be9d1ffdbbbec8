"""What a batch publishes: each edge once, what was erased first, the position last."""

from __future__ import annotations

import asyncio
from typing import Any

from docreactor.agents.edge_batch import EdgeBatch, concerning
from docreactor.agents.log import LogRecord
from docreactor.agents.metrics import Metrics
from docreactor.pipeline.edge import POSITION_KEY
from docreactor.pipeline.position import Offset
from docreactor.tables.edges import EdgesTable
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import OperationsTable
from tests.support.relating import History, Read


def _of(history: History, metrics: Metrics | None = None) -> EdgeBatch:
    table = EdgesTable(MemoryStore())
    operations = OperationsTable(history.write_store)
    return EdgeBatch(table, operations, metrics or Metrics(), topic="test.operations")


def _records(history: History) -> list[LogRecord]:
    return concerning(history.place.records(history.place.topics.operations))


async def _published(history: History, **given: Any) -> list[tuple[bytes | None, bytes]]:
    """The keys of what a batch publishes of all that there is, each with what became of it."""
    await history.write()
    batch = _of(history, **given)
    await batch.take(_records(history), history.stored)
    entries = await batch.entries(Offset(history.end))
    return [(one.key, dict(one.headers).get("change", b"")) for one in entries]


def test_few_records_concern_edges() -> None:
    keys = [b"a/global/main/0000000001", b"a/document/main/0000000001", b"a/", b"a/accepted", None]
    records = [Read(at, key or b"", b"") for at, key in enumerate(keys)]
    assert [record.offset for record in concerning(records)] == [1, 2, 3, 4]


async def test_each_edge_is_published_once_and_the_position_last() -> None:
    history = History()
    history.add("b", "x")
    history.add("a", "y")
    history.add("a", "x")
    history.update("a", "x", metadata=1)
    history.add("a", "z")
    history.remove("a", "z")
    assert await _published(history) == [
        (b"a/main/child/x", b"added"),
        (b"a/main/child/y", b"added"),
        (b"b/main/child/x", b"added"),
        (POSITION_KEY, b""),
    ]


async def test_an_erasure_stands_before_the_edges_that_it_ends() -> None:
    history = History()
    history.add("a", "x")
    history.tell("a", "UNDO")
    history.erase("a")
    assert await _published(history) == [(b"a/", b""), (POSITION_KEY, b"")]


async def test_a_document_is_set_aside_by_name_and_counted() -> None:
    history, metrics = History(), Metrics()
    history.add("a", "x")
    history.tell("a", "ADD_RELATIONSHIP", {"source_id": "a", "target_id": "/"})
    history.spoil("b")
    published = await _published(history, metrics=metrics)
    assert [key for key, _ in published] == [
        b"a/main/child/x",
        b"a/quarantined",
        b"b/quarantined",
        POSITION_KEY,
    ]
    for name in ("InvalidInput", "UndecodableRecord"):
        assert metrics.registry.get_sample_value("docreactor_errors_total", {"name": name}) == 1


async def test_a_format_from_the_future_sets_its_document_aside() -> None:
    history = History()
    batch = _of(history)
    key = b"a/document/main/0000000000"
    await batch.take([Read(7, key, b"{}", (("v", b"2"),))], history.stored)
    entry, _ = await batch.entries(Offset(8))
    assert entry.key == b"a/quarantined"
    assert b"test.operations 7" in (entry.value or b"")


async def test_nothing_is_published_where_no_edge_is_touched_and_no_position_is_due() -> None:
    history = History()
    history.tell("a", "CREATE_DOCUMENT", {})
    history.tell("a", "UNDO", error="NothingToUndo: it says")
    history.other(b"\xff\xfe", b"{}")
    await history.write(stored=False)
    batch = _of(history)
    await batch.take(_records(history), history.stored)
    assert await batch.entries(Offset(9)) == []
    assert [one.key for one in await batch.entries(Offset(9), is_due=True)] == [POSITION_KEY]


async def test_a_stream_is_folded_once_however_many_undos_a_batch_has() -> None:
    history = History()
    for _ in range(300):
        history.add("a", "x")
        history.tell("a", "UNDO")
    await history.write()
    waits: list[int] = []

    async def stored(next_offset: int) -> None:
        waits.append(next_offset)

    await _of(history).take(_records(history), stored)
    assert waits == [600]


async def test_the_loop_gets_its_turn_amid_a_large_batch() -> None:
    history = History()
    for number in range(20_000):
        history.add("a", f"x{number}")
    await history.write(stored=False)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await _of(history).take(_records(history), history.stored)
    counting.cancel()
    assert turns > 3
