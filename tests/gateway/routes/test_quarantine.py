"""Documents that read models have set aside: listed, tried again, taken back, at any node."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from docreactor.examples.todo import todo
from docreactor.gateway.reach import ANSWERED_BY
from docreactor.pipeline.read_model import Change, Writer
from tests.gateway.deployment import Running, problem_of, several_nodes
from tests.gateway.routes.test_generations import set_aside
from tests.gateway.routes.test_rows import Items
from tests.support.nodes import until

PARTITIONS = 4


class Picky(Items):
    """As Items, and refuses bread until it is told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.is_picky = True

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        await super().apply(batch, writer)
        for change in batch:
            if self.is_picky and change.operation and "bread" in str(change.operation.action):
                raise ValueError("no bread")

    def forget(self, document_id: str, writer: Writer) -> None:
        for item in writer.get(f"of/{document_id}", []):
            writer.put(f"count/{item}", writer.get(f"count/{item}") - 1)
        writer.delete(f"of/{document_id}")


@pytest.fixture
def picky() -> Picky:
    return Picky()


@pytest.fixture
async def nodes(picky: Picky) -> AsyncGenerator[list[Running]]:
    """Two nodes that share four partitions, and a gateway alone."""
    models = [todo, picky]
    async with several_nodes(2, gateways=1, models=models, partitions=PARTITIONS) as running:
        await until(lambda: all("items" in one.node.coordinator.required for one in running))
        yield running


async def listed(running: Running, **parameters: str) -> list[dict[str, Any]]:
    """What is set aside, as a node answers."""
    reply = await running.http.get("/v1/quarantine", params=parameters)
    assert reply.status_code == 200, reply.text
    assert reply.json()["next_cursor"] is None
    found: list[dict[str, Any]] = reply.json()["documents"]
    return found


async def fed(nodes: Sequence[Running], count: int) -> list[str]:
    """So many lists with milk and bread, which items refuses; their ids."""
    ids = [f"d{number}" for number in range(count)]
    for document_id in ids:
        await nodes[0].create(document_id)
        token = (await nodes[0].add(document_id, "milk", "bread", wait="write"))["token"]
        await nodes[0].reactor.wait_for(token, model="items")
    return ids


def places(found: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["model"], one["document_id"]) for one in found]


async def test_what_is_set_aside_anywhere_is_listed_by_any_node(nodes: list[Running]) -> None:
    assert await listed(nodes[0]) == []
    ids = await fed(nodes, 5)
    assert len({nodes[0].node.partition_of(one) for one in ids}) > 1
    set_aside("d1", nodes)
    for one in nodes:
        found = await listed(one)
        assert places(found) == [("documents", "d1"), *(("items", each) for each in ids)]
        assert found[0]["problem"]["title"] == "HashMismatch"
        assert found[1]["problem"]["title"] == "ReadModelFailed"
        assert "ValueError: no bread" in found[1]["problem"]["cause"]
        assert places(await listed(one, model="documents")) == [("documents", "d1")]
        assert await listed(one, model="relationships") == []
    reply = await nodes[2].http.get("/v1/quarantine")
    assert reply.headers[ANSWERED_BY] == "gathered"


async def test_one_that_still_fails_stays_aside_and_is_answered(nodes: list[Running]) -> None:
    await fed(nodes, 2)
    for one in nodes:
        reply = await one.http.post("/v1/quarantine/items/d0/retry")
        assert places(reply.json()["documents"]) == [("items", "d0")]
    assert places(await listed(nodes[0])) == [("items", "d0"), ("items", "d1")]


async def test_one_whose_model_was_mended_is_tried_again_from_its_beginning(
    nodes: list[Running], picky: Picky
) -> None:
    ids = await fed(nodes, 3)
    picky.is_picky = False
    await nodes[0].add("d2", "eggs")
    for one, document_id in zip(nodes, ids, strict=True):
        reply = await one.http.post(f"/v1/quarantine/items/{document_id}/retry")
        assert reply.json() == {"documents": [], "next_cursor": None}
    assert await listed(nodes[2]) == []
    rows = {row.key: row.value for row in (await nodes[2].reactor.rows("items", prefix="of/")).rows}
    assert rows == {
        "of/d0": ["milk", "bread"],
        "of/d1": ["milk", "bread"],
        "of/d2": ["milk", "bread", "eggs"],
    }


async def test_a_document_that_is_shown_no_more_is_shown_again(nodes: list[Running]) -> None:
    await nodes[0].create("a")
    set_aside("a", nodes)
    token = (await nodes[0].add("a", "milk", wait="write"))["token"]
    for one in nodes:
        refused = await one.http.get("/v1/documents/a", params={"token": token})
        assert problem_of(refused)[1] == "HashMismatch"
    job = await nodes[1].reactor.wait((await nodes[0].add("a", "bread"))["id"], until="read")
    assert job.held_by is not None
    assert "documents" in job.held_by

    reply = await nodes[2].http.post("/v1/quarantine/documents/a/retry")
    assert reply.json()["documents"] == []
    for one in nodes:
        shown = await one.reactor.get("a", token=token)
        assert shown.state is not None
        assert shown.state["global"]["items"] == ["milk", "bread"]


async def test_one_that_is_cleared_goes_on_without_what_was_left_out(
    nodes: list[Running], picky: Picky
) -> None:
    await fed(nodes, 1)
    picky.is_picky = False
    reply = await nodes[2].http.post("/v1/quarantine/items/d0/clear")
    assert reply.json()["documents"] == []
    page = await nodes[0].reactor.rows("items", prefix="of/")
    assert [row.value for row in page.rows] == [["milk"]]

    token = (await nodes[0].add("d0", "eggs", wait="write"))["token"]
    page = await nodes[1].reactor.rows("items", prefix="of/", token=token)
    assert [row.value for row in page.rows] == [["milk", "bread", "eggs"]]


async def test_what_cannot_be_asked_for_is_refused_by_name(nodes: list[Running]) -> None:
    for method, path, refusal in (
        ("GET", "/v1/quarantine?model=nobody", (404, "UnknownReadModel")),
        ("GET", "/v1/quarantine?document_id=a", (422, "InvalidInput")),
        ("POST", "/v1/quarantine/nobody/a/retry", (404, "UnknownReadModel")),
        ("POST", "/v1/quarantine/nobody/a/clear", (404, "UnknownReadModel")),
        ("POST", "/v1/quarantine/items/a%20b/retry", (422, "InvalidInput")),
    ):
        for one in nodes:
            assert problem_of(await one.http.request(method, path)) == refusal, (method, path)


async def test_a_document_that_is_not_aside_is_left_as_it_is(
    nodes: list[Running], picky: Picky
) -> None:
    picky.is_picky = False
    await fed(nodes, 1)
    for name in ("items", "documents", "relationships"):
        for verb in ("retry", "clear"):
            reply = await nodes[2].http.post(f"/v1/quarantine/{name}/d0/{verb}")
            assert reply.json() == {"documents": [], "next_cursor": None}
    page = await nodes[0].reactor.rows("items", document="d0")
    assert {row.key: row.value for row in page.rows} == {
        "count/bread": 1,
        "count/milk": 1,
        "of/d0": ["milk", "bread"],
    }


async def test_of_a_retired_read_model_nothing_is_aside(nodes: list[Running]) -> None:
    await fed(nodes, 2)
    await nodes[1].reactor.retire("items")
    retired = [one.node.coordinator for one in nodes]
    await until(lambda: all(one.models["items"].is_retired for one in retired))
    for one in nodes:
        assert await listed(one) == []
        refused = await one.http.post("/v1/quarantine/items/d0/retry")
        assert problem_of(refused) == (404, "UnknownReadModel")


async def test_when_an_owner_does_not_answer_there_is_no_part_as_if_it_were_the_whole() -> None:
    async with several_nodes(2, mute=1, partitions=2) as (first, _):
        refused = await first.http.get("/v1/quarantine")
        assert problem_of(refused) == (503, "Restoring")
        assert refused.headers["retry-after"] == "1"
