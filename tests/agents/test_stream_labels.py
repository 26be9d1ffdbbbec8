"""Where streams stand below an offset, although the operation store is ahead of it."""

from __future__ import annotations

import pytest

from docreactor.agents.stream_labels import StreamLabels
from docreactor.pipeline.errors import RestoringError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.position import Offset
from tests.support.relating import History

MAIN, DRAFT = Stream("a", "document", "main"), Stream("a", "document", "draft")


def _labels(history: History) -> StreamLabels:
    return StreamLabels(history.place.log(), history.source, history.write_store)


async def _written() -> tuple[History, Offset]:
    """Two operations of a stream, and a position behind them."""
    history = History()
    history.add("a", "b")
    history.add("a", "c")
    history.tell("a", "WRITE", {}, scope="global")
    return history, Offset(await history.write())


async def test_at_the_head_it_is_the_newest_operation() -> None:
    history, at = await _written()
    assert await _labels(history).below(["a", "nobody"], at) == {"a": {MAIN: 1}, "nobody": {}}


async def test_what_lies_beyond_the_position_does_not_count() -> None:
    history, at = await _written()
    history.add("a", "d")
    history.tell("a", "SET_NAME", {"name": "n"}, branch="draft")
    history.tell("a", "WRITE", {}, scope="global")
    await history.write()
    assert await _labels(history).below(["a"], at) == {"a": {MAIN: 1, DRAFT: -1}}
    assert await _labels(history).below(["a"], Offset(history.end)) == {"a": {MAIN: 2, DRAFT: 0}}


async def test_a_document_whose_erasure_lies_beyond_is_left_out() -> None:
    history, at = await _written()
    history.add("b", "c")
    history.erase("a")
    await history.write()
    found = await _labels(history).below(["a", "b"], at)
    assert found == {"b": {Stream("b", "document", "main"): -1}}


async def test_it_is_refused_where_very_much_lies_beyond() -> None:
    history, at = await _written()
    history.write_store.write([], {history.source.topic: Offset(at + 50_001)}, now_ms=1)
    with pytest.raises(RestoringError):
        await _labels(history).below(["a"], at)
