"""The edges of a document are what counts of its effective history, up to a label."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.agents.edge_fold import fold_edges
from docreactor.pipeline.errors import CorruptHistoryError
from docreactor.pipeline.keys import Stream
from docreactor.tables.operations import OperationsTable
from tests.support.relating import Folded, History, edges_of

STREAM = Stream("a", "document", "main")


async def _folded(history: History, label: int) -> Folded:
    operations = OperationsTable(history.write_store)
    edges = await fold_edges(operations, STREAM, label)
    return {key.encode(): edge.encode() for key, edge in edges.items()}


async def _written() -> History:
    history = History()
    history.tell("a", "CREATE_DOCUMENT", {})
    first = history.add("a", "b", metadata=1)
    history.update("a", "b", metadata=2)
    history.tell("a", "UNDO")
    history.tell("a", "REDO")
    history.remove("a", "c")
    history.tell("a", "SET_NAME", {"name": "n"}, skip=5)
    history.again(first, "a")
    history.tell("a", "UNDO")
    await history.write()
    return history


async def test_every_label_gives_what_the_rules_say() -> None:
    history = await _written()
    operations = history.streams[STREAM]
    for label in range(-1, len(operations)):
        assert await _folded(history, label) == edges_of(STREAM, operations[: label + 1]), label


async def test_a_history_with_a_gap_is_refused() -> None:
    history = await _written()
    history.write_store.write([(b"o/a/document/main/0000000001", None)], {}, now_ms=1)
    with pytest.raises(CorruptHistoryError):
        await _folded(history, 2)


async def test_the_loop_gets_its_turn_amid_a_long_history() -> None:
    history = History()
    for number in range(350):
        history.add("a", f"b{number}")
    await history.write()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    assert len(await _folded(history, 349)) == 350
    counting.cancel()
    assert turns > 4
