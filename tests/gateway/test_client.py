"""The Python client over a real node."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor import DocumentModel, Reactor, State
from docreactor.gateway import testing
from docreactor.gateway.requests import ActionRequest
from docreactor.pipeline.errors import (
    DocumentDeletedError,
    DocumentNotFoundError,
    JobNotReadyError,
    RevisionMismatchError,
    ServerUnreachableError,
    UnknownModelError,
    UpgradePreconditionFailedError,
)
from docreactor.pipeline.job import JobStatus
from tests.gateway.deployment import TODO_TYPE, Gate, Running, one_node, several_nodes


async def test_a_document_lives_from_create_to_delete(one: Running) -> None:
    reactor = one.reactor
    job = await reactor.create(TODO_TYPE, slug="docs/shop 1", name="Shop", meta={"a": 1})
    document_id = job.document_id or ""
    job = await reactor.submit(
        document_id,
        [
            {"type": "ADD_ITEM", "input": {"text": "Milk"}},
            ActionRequest(type="ADD_ITEM", input={"text": "Bread"}),
        ],
        expected_revision=0,
        wait="write",
    )
    document = await reactor.get("docs/shop 1", token=job.token)
    earlier = await reactor.get(document_id, at="global:0", token=[job.token])
    page = await reactor.find(type=TODO_TYPE, limit=1)
    history = await reactor.history(document_id, types=["ADD_ITEM"], since=0)
    deleted = await reactor.delete(document_id, wait="read")

    assert document.header.name == "Shop"
    assert document.state["global"]["items"] == ["Milk", "Bread"]
    assert earlier.state["global"]["items"] == ["Milk"]
    assert [one.header.id for one in page.documents] == [document_id]
    assert [one.action.input for one in history.operations] == [{"text": "Bread"}]
    assert deleted.status is JobStatus.READ_READY
    with pytest.raises(DocumentDeletedError):
        await reactor.get(document_id)


async def test_ids_of_actions_are_minted_in_order(one: Running) -> None:
    await one.create("shop-1")
    actions = [{"type": "ADD_ITEM", "input": {"text": text}} for text in "abc"]
    job = await one.reactor.submit("shop-1", actions, wait="write")

    page = await one.reactor.history("shop-1", token=job.token)
    ids = [operation.action.id for operation in page.operations]
    assert ids == sorted(ids)
    assert len(set(ids)) == 3


async def test_one_action_needs_no_list(one: Running) -> None:
    await one.create("shop-1")

    job = await one.reactor.submit(
        "shop-1", {"type": "ADD_ITEM", "input": {"text": "a"}}, wait="read"
    )
    assert job.status is JobStatus.READ_READY


async def test_a_key_of_the_callers_makes_a_request_one_request(one: Running) -> None:
    await one.create("shop-1")
    action = {"type": "ADD_ITEM", "input": {"text": "a"}}
    for _ in range(2):
        await one.reactor.submit("shop-1", action, wait="read", idempotency_key="k")

    assert (await one.reactor.get("shop-1")).header.revision["global"] == 1


async def test_problems_are_raised_by_name_with_their_facts(one: Running) -> None:
    await one.create("shop-1")
    action = {"type": "ADD_ITEM", "input": {"text": "a"}}

    with pytest.raises(UnknownModelError):
        await one.reactor.create("example/nothing")
    with pytest.raises(DocumentNotFoundError):
        await one.reactor.get("no/body")
    with pytest.raises(RevisionMismatchError) as mismatch:
        await one.reactor.submit("shop-1", action, expected_revision=4, wait="write")
    assert mismatch.value.facts["actual"] == 0
    assert mismatch.value.facts["job"]["status"] == "FAILED"


async def test_a_job_is_told_and_awaited(one: Running) -> None:
    job = await one.reactor.create(TODO_TYPE, id="shop-1")
    failed = await one.reactor.submit("nobody", {"type": "A", "input": {}})

    assert (await one.reactor.wait(job)).status is JobStatus.READ_READY
    assert (await one.reactor.job(job.id)).token != ""
    assert isinstance((await one.reactor.wait(failed.id)).failure, DocumentNotFoundError)


async def test_a_wait_that_runs_out_carries_the_job() -> None:
    gate = Gate()
    async with one_node(gate) as one:
        gate.shut()
        with pytest.raises(JobNotReadyError) as refusal:
            await one.reactor.create(TODO_TYPE, id="shop-1", wait="write", timeout_ms=10)
        gate.open()

    assert refusal.value.job.document_id == "shop-1"


async def test_the_deployment_is_told(one: Running) -> None:
    positions = await one.reactor.positions()
    models = await one.reactor.models()

    assert {one.state for one in positions.positions} == {"RUNNING"}
    assert TODO_TYPE in [model["document_type"] for model in models.models]


async def test_any_node_will_do() -> None:
    async with several_nodes(2) as nodes:
        for running in nodes:
            for number in range(4):
                job = await running.reactor.create(TODO_TYPE, wait="write")
                for other in nodes:
                    document = await other.reactor.get(job.document_id or "", token=job.token)
                    assert document.header.id == job.document_id, number


async def test_nobody_at_the_address_is_named_with_what_to_do() -> None:
    async with Reactor("http://127.0.0.1:9", retry_for_s=0.01) as reactor:
        with pytest.raises(ServerUnreachableError, match="docreactor up"):
            await reactor.models()


class Note(State):
    text: str = ""


class Titled(State):
    title: str = ""


note = DocumentModel("test/note", state=Note)


@note.upgrade(to=2, state=Titled)
def give_title(state: Note) -> Titled:
    return Titled(title=state.text)


def said_elsewhere(action_type: str, second: int, **input: Any) -> dict[str, Any]:
    given = {"model": "test/note", "document_id": "note-1", **input}
    return {
        "action": {
            "id": f"a-{second}",
            "type": action_type,
            "scope": "document",
            "timestamp": f"2024-05-01T12:00:0{second}Z",
            "input": given,
        }
    }


async def test_an_upgrade_is_made_for_the_document_as_it_was_read() -> None:
    begun = [
        said_elsewhere("CREATE_DOCUMENT", 0),
        said_elsewhere(
            "UPGRADE_DOCUMENT",
            1,
            from_version=0,
            to_version=1,
            initial_state={"global": {"text": "Shop"}},
        ),
    ]
    async with testing.reactor(note) as reactor:
        await reactor.load("note-1", begun, wait="read")
        before = await reactor.get("note-1")
        await reactor.upgrade("note-1", 2, wait="read")
        after = await reactor.get("note-1")
        again = await reactor.upgrade("note-1", 2, wait="read")
        stale = {
            "model": "test/note",
            "document_id": "note-1",
            "from_version": 1,
            "to_version": 2,
            "revision": before.header.revision,
        }
        action = {"type": "UPGRADE_DOCUMENT", "scope": "document", "input": stale}
        with pytest.raises(UpgradePreconditionFailedError):
            await reactor.submit("note-1", action, wait="write")
        history = await reactor.history("note-1", scope="document")

    assert (before.state["document"]["version"], before.state["global"]) == (1, {"text": "Shop"})
    assert (after.state["document"]["version"], after.state["global"]) == (2, {"title": "Shop"})
    assert again.status is JobStatus.READ_READY
    upgrade = history.operations[2].action.input
    assert (upgrade["from_version"], upgrade["to_version"]) == (1, 2)
    assert upgrade["revision"] == before.header.revision
    assert len(history.operations) == 3
