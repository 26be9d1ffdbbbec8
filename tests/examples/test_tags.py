"""Notes with tags, and which notes carry a tag."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

import docreactor.testing
from docreactor import Reactor
from docreactor.examples.tags import Note, Tags, note
from docreactor.gateway.session import Session
from docreactor.pipeline.errors import InvalidInputError, ReactorError
from docreactor.pipeline.spec import models_named

TAGS = ("art", "book", "cat")
NOTES = ("n1", "n2", "n3", "n4")


def test_a_note_carries_each_tag_once() -> None:
    state: Note = docreactor.testing.play(
        note,
        [
            ("WRITE", {"text": "Milk"}),
            ("TAG", {"tag": "a"}),
            ("TAG", {"tag": "b"}),
            ("TAG", {"tag": "a"}),
            ("UNTAG", {"tag": "b"}),
            ("UNTAG", {"tag": "c"}),
        ],
    )
    assert state == Note(text="Milk", tags=("a",))


@pytest.mark.parametrize("tag", ["", "a/b", "a" * 65, None])
def test_a_tag_that_could_be_no_part_of_a_key_is_refused(tag: Any) -> None:
    with pytest.raises(InvalidInputError, match="tag: "):
        note.check(1, "global", "TAG", {"tag": tag})


def test_its_module_brings_the_documents_and_the_read_model() -> None:
    found = models_named("docreactor.examples.tags")
    assert [type(one).__name__ for one in found] == ["DocumentModel", "Tags"]


async def _rows(reactor: Reactor | Session, token: str | None = None) -> dict[str, Any]:
    """What all partitions show together: counts added up."""
    rows: dict[str, Any] = {}
    page = await reactor.rows("tags", limit=1_000, token=token)
    assert page.next_cursor is None
    for row in page.rows:
        if row.key.startswith("count/"):
            rows[row.key] = rows.get(row.key, 0) + row.value
        else:
            assert row.key not in rows, "one partition keeps what is made of a document"
            rows[row.key] = row.value
    return rows


def _tag(name: str, **action: Any) -> dict[str, Any]:
    return {"type": "TAG", "input": {"tag": name}, **action}


async def test_notes_are_found_by_their_tags() -> None:
    async with docreactor.testing.reactor(note, Tags(), partitions=3) as reactor:
        for name in ("n1", "n2"):
            await reactor.create("example/note", id=name, wait="write")
        await reactor.submit("n1", [_tag("art"), _tag("cat")], wait="read")
        job = await reactor.submit("n2", _tag("art"), wait="read")
        assert await _rows(reactor, job.token) == {
            "count/art": 2,
            "count/cat": 1,
            "note/n1": {"tags": ["art", "cat"], "is_deleted": False},
            "note/n2": {"tags": ["art"], "is_deleted": False},
            "with/art/n1": True,
            "with/art/n2": True,
            "with/cat/n1": True,
        }


async def test_what_is_undone_deleted_and_erased_is_found_no_more() -> None:
    async with docreactor.testing.reactor(note, Tags()) as reactor:
        for name in ("n1", "n2", "n3"):
            await reactor.create("example/note", id=name, wait="write")
            await reactor.submit(name, _tag("art"), wait="read")
        await reactor.undo("n1", wait="read")
        await reactor.delete("n2", wait="read")
        await reactor.erase("n3", wait="read")
        rows = await _rows(reactor)
        assert rows == {
            "note/n1": {"tags": [], "is_deleted": False},
            "note/n2": {"tags": ["art"], "is_deleted": True},
        }


async def test_an_action_that_comes_late_stands_where_its_time_says() -> None:
    async with docreactor.testing.reactor(note, Tags()) as reactor:
        await reactor.create(
            "example/note", id="n1", timestamp="2024-01-01T00:00:00Z", wait="write"
        )
        await reactor.submit("n1", _tag("art", timestamp="2024-01-03T00:00:00Z"), wait="write")
        untag = {"type": "UNTAG", "input": {"tag": "art"}}
        late = {"action": {**untag, "id": "late", "scope": "global"}}
        late["action"]["timestamp"] = "2024-01-02T00:00:00Z"
        job = await reactor.load("n1", [late], wait="read")
        # It came last and took nothing off: when it was made there was nothing to take off.
        assert (await _rows(reactor, job.token))["count/art"] == 1
        last = {"action": {**late["action"], "id": "last", "timestamp": "2024-01-04T00:00:00Z"}}
        job = await reactor.load("n1", [last], wait="read")
        assert "count/art" not in await _rows(reactor, job.token)


async def _anything(reactor: Session, chance: random.Random, at: int) -> None:
    """One change of one note, in whatever order its time says."""
    name, tag = chance.choice(NOTES), {"tag": chance.choice(TAGS)}
    kind = chance.choice(["TAG", "TAG", "TAG", "UNTAG", "UNDO", "REDO", "LATE", "DELETE"])
    if kind == "DELETE" and chance.random() < 0.2:
        await reactor.delete(name, wait="write")
    elif kind == "LATE":
        second = chance.randint(0, 59)
        action = {"id": f"late-{at}", "type": "TAG", "scope": "global", "input": tag}
        action["timestamp"] = f"2024-01-01T00:01:{second:02d}Z"
        await reactor.load(name, [{"action": action}], wait="write")
    elif kind in ("UNDO", "REDO"):
        await (reactor.undo if kind == "UNDO" else reactor.redo)(name, wait="write")
    elif kind != "DELETE":
        await reactor.submit(name, {"type": kind, "input": tag}, wait="write")


async def _truth(reactor: Session) -> dict[str, Any]:
    """What the documents themselves say: of a deleted one nothing is found."""
    rows: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    for name in NOTES:
        try:
            document = await reactor.get(name)
        except ReactorError as error:
            assert error.name() == "DocumentDeleted"
            continue
        for tag in document.state["global"]["tags"]:
            rows[f"with/{tag}/{name}"] = True
            counts[f"count/{tag}"] += 1
    return rows | counts


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_the_rows_say_what_the_documents_say(seed: int) -> None:
    chance = random.Random(seed)
    async with (
        docreactor.testing.reactor(note, Tags(), partitions=2) as client,
        client.session() as reactor,
    ):
        for name in NOTES:
            await reactor.create("example/note", id=name, timestamp="2024-01-01T00:00:00Z")
        for at in range(40):
            try:
                await _anything(reactor, chance, at)
            except ReactorError as error:
                refusals = ("DocumentDeleted", "NothingToUndo", "NothingToRedo")
                assert error.name() in refusals, error
        rows = await _rows(reactor)
        shown = {key: value for key, value in rows.items() if not key.startswith("note/")}
        assert shown == await _truth(reactor)
