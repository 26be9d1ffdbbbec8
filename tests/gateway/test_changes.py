"""What changes documents, through the Python client and over a real node."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.gateway.changes import segment
from docreactor.pipeline.errors import (
    ActionIdConflictError,
    NothingToRedoError,
    NothingToUndoError,
    UnknownModelError,
)
from docreactor.pipeline.job import JobStatus
from tests.gateway.deployment import Running, one_node

MILK = {"type": "ADD_ITEM", "input": {"text": "Milk"}}


async def said(running: Running, scope: str = "document") -> list[tuple[str, Any]]:
    page = await running.reactor.history("shop-1", scope=scope)
    return [(one.action.type, one.action.input) for one in page.operations]


async def test_a_history_is_loaded_as_it_was_read(one: Running) -> None:
    async with one_node() as there:
        await one.create("shop-1")
        await one.add("shop-1", "Milk", "Bread")
        for scope in ("document", "global"):
            page = await one.reactor.history("shop-1", scope=scope)
            job = await there.reactor.load("shop-1", page.operations, source="one", wait="read")
            assert job.status is JobStatus.READ_READY
        document = await there.reactor.get("shop-1")
        repeated = await one.reactor.history("shop-1", effective=True)
        again = await there.reactor.history("shop-1", effective=True)

    assert document.state["global"]["items"] == ["Milk", "Bread"]
    assert again == repeated


async def test_a_load_that_conflicts_is_raised_by_name(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk")
    operations = (await one.reactor.history("shop-1")).operations
    other = operations[0].model_dump()
    other["action"]["input"] = {"text": "Tea"}

    with pytest.raises(ActionIdConflictError):
        await one.reactor.load("shop-1", [other], wait="write")


async def test_undo_redo_and_rename_are_one_call_each(one: Running) -> None:
    reactor = one.reactor
    await one.create("shop-1")
    await reactor.submit("shop-1", MILK, wait="read")
    await reactor.undo("shop-1", wait="read")
    undone = await reactor.get("shop-1")
    await reactor.redo("shop-1", wait="read")
    await reactor.rename("shop-1", "Weekly", wait="read")
    document = await reactor.get("shop-1")

    assert undone.state["global"]["items"] == []
    assert document.state["global"]["items"] == ["Milk"]
    assert document.header.name == "Weekly"
    with pytest.raises(NothingToUndoError):
        await reactor.undo("shop-1", scope="local", wait="write")
    with pytest.raises(NothingToRedoError):
        await reactor.redo("shop-1", wait="write")


async def test_edges_are_added_described_and_removed(one: Running) -> None:
    reactor = one.reactor
    await one.create("shop-1")
    await reactor.relate("shop-1", "book-1", "cites", metadata={"page": 1}, wait="read")
    await reactor.update_relationship("shop-1", "book-1", "cites", wait="read")
    await reactor.unrelate("shop-1", "book-1", "cites", wait="read")
    await reactor.add_children("shop-1", ["a", "b"], wait="read")
    job = await reactor.remove_children("shop-1", ["b"], wait="read")

    assert (job.document_id, job.scope) == ("shop-1", "document")
    assert [(kind, input["target_id"]) for kind, input in (await said(one))[2:]] == [
        ("ADD_RELATIONSHIP", "book-1"),
        ("UPDATE_RELATIONSHIP", "book-1"),
        ("REMOVE_RELATIONSHIP", "book-1"),
        ("ADD_RELATIONSHIP", "a"),
        ("ADD_RELATIONSHIP", "b"),
        ("REMOVE_RELATIONSHIP", "b"),
    ]


async def test_a_child_is_created_in_one_call(one: Running) -> None:
    await one.create("shop-1")
    child = await one.reactor.create("example/todo", parent="shop-1", wait="read")

    assert [input["target_id"] for _, input in (await said(one))[2:]] == [child.document_id]


async def test_a_key_makes_any_change_one_change(one: Running) -> None:
    reactor = one.reactor
    await one.create("shop-1")
    for _ in range(2):
        await reactor.rename("shop-1", "a", wait="read", idempotency_key="k")
        await reactor.relate("shop-1", "b", "cites", wait="read", idempotency_key="l")

    assert (await reactor.get("shop-1")).header.revision == {"document": 3, "global": 1}


async def test_changes_go_to_the_branch_that_is_named(one: Running) -> None:
    reactor = one.reactor
    await one.create("shop-1")
    await one.create("shop-1", branch="draft")
    await reactor.rename("shop-1", "Draft", branch="draft", wait="read")

    assert (await reactor.get("shop-1")).header.name is None
    assert (await reactor.get("shop-1", branch="draft")).header.name == "Draft"


async def test_an_upgrade_is_made_for_the_document_as_it_is_read(one: Running) -> None:
    job = await one.reactor.create("example/todo", id="shop-1")
    # Its model has one version: what is asked for is that of the document, and one that is not.
    same = await one.reactor.upgrade("shop-1", 1, token=(await one.reactor.wait(job)).token)

    assert (await one.reactor.wait(same)).status is JobStatus.READ_READY
    with pytest.raises(UnknownModelError):
        await one.reactor.upgrade("shop-1", 2, wait="read")


def test_a_piece_of_a_path_may_hold_anything() -> None:
    assert segment("a/b ?") == "a%2Fb%20%3F"
