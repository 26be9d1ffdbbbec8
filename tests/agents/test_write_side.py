"""A reducer with its tables and no log."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.agents.write_side import WriteSide
from docreactor.pipeline.errors import DocumentNotFoundError, UnknownModelError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.tables.keyframes import MemoryKeyValueStore
from docreactor.tables.memory import MemoryStore
from tests.tables.written import NOTES_TYPE, notes

STREAM = Stream("d", "global", "main")
LINE = ("ADD", {"text": "a line"})

free = DocumentModel("test/free", state=dict)


@free.action
def keep(state: dict[str, Any], input: dict[str, Any]) -> dict[str, Any]:
    return {**state, "kept": [*state.get("kept", []), input]}


@free.action
def spoil(state: dict[str, Any], input: dict[str, Any]) -> dict[str, Any]:
    state["kept"].append(input)
    return state


def _side(values: MemoryKeyValueStore | None = None, **settings: Any) -> WriteSide:
    return WriteSide(Registry([notes, free]), Settings(**settings), MemoryStore(), values)


async def test_what_is_submitted_is_stored_and_its_state_cached() -> None:
    side = _side()
    await side.create(NOTES_TYPE, "d")
    stream = await side.submit("d", [LINE, LINE])

    assert stream == STREAM
    newest = side.cache.newest(STREAM)
    assert newest is not None
    assert newest.head == side.operations.head(STREAM)
    assert newest.state.state.lines == ("a line", "a line")
    side.cache.clear()
    assert await side.cache.get(STREAM) == newest.state


async def test_what_is_refused_is_raised_and_stores_nothing() -> None:
    side = _side()
    with pytest.raises(DocumentNotFoundError):
        await side.submit("d", [LINE])
    with pytest.raises(UnknownModelError):
        await side.create("test/unknown", "d")

    assert side.operations.head(STREAM) is None


async def test_scopes_and_branches_have_streams_of_their_own() -> None:
    side = _side()
    for branch in ("main", "draft"):
        await side.create(NOTES_TYPE, "d", branch=branch)
    local = await side.submit("d", [LINE], scope="local")
    draft = await side.submit("d", [LINE, LINE], branch="draft")

    assert (await side.cache.get(local)).label == 0
    assert (await side.cache.get(draft)).label == 1


@pytest.mark.parametrize("values", [None, MemoryKeyValueStore()])
async def test_keyframes_that_are_due_are_kept_in_the_store_or_in_the_values(
    values: MemoryKeyValueStore | None,
) -> None:
    side = _side(values, keyframe_policy="fixed")
    await side.create(NOTES_TYPE, "d")
    await side.submit("d", [LINE] * 25)

    assert list(side.keyframes.labels(STREAM)) == [20, 10]
    rows = list(side.store.keys(b"k/", b"k0"))
    assert len(rows) == (2 if values is None else 0)


async def test_a_reducer_that_changes_its_state_in_place_cannot_change_a_cached_one() -> None:
    side = _side()
    await side.create("test/free", "d")
    await side.submit("d", [("KEEP", {"n": 1})])
    cached = await side.cache.get(STREAM)
    before = bytes(cached.content)
    await side.submit("d", [("SPOIL", {"n": 2})])

    stored = Operation.decode(side.operations.get(STREAM, 1) or b"")
    assert stored.error is not None
    assert (await side.cache.get(STREAM, 0)).state == {"kept": [{"n": 1}]}
    assert (await side.cache.get(STREAM)).content == before
    with pytest.raises(TypeError):
        cached.state["kept"] = []
    with pytest.raises(TypeError):
        cached.state["kept"][0]["n"] = 3


async def test_the_hit_rate_of_the_reducer_is_high_when_its_documents_fit() -> None:
    side = _side()
    for number in range(20):
        await side.create(NOTES_TYPE, f"d{number}")
    for turn in range(200):
        await side.submit(f"d{turn * 7 % 20}", [LINE])

    assert (side.cache.figures().hit_rate or 0) > 0.8
