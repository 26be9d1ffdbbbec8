"""Relationships over HTTP: each call is one job of the source's `document` scope."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.deployment import Running, one_node, problem_of

EDGES = "/v1/documents/drive-1/relationships"
CHILDREN = "/v1/documents/drive-1/children"
WAIT = {"wait": "read"}


async def ask(running: Running, method: str, url: str, body: Any = None, **query: Any) -> Any:
    reply = await running.http.request(method, url, params=WAIT | query, json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def said(running: Running) -> list[tuple[str, Any]]:
    """What the document's stream says beside its creation."""
    reply = await running.http.get(
        "/v1/documents/drive-1/operations", params={"scope": "document", "since": 1}
    )
    operations = [operation["action"] for operation in reply.json()["operations"]]
    return [(action["type"], action["input"]) for action in operations]


async def test_an_edge_is_added_described_and_removed(one: Running) -> None:
    await one.create("drive-1")
    edge = {"target_id": "nobody", "type": "cites"}
    added = await ask(one, "POST", EDGES, edge | {"metadata": {"page": 12}})
    await ask(one, "PATCH", EDGES, edge | {"metadata": {"page": 13}})
    await ask(one, "PATCH", EDGES, edge | {"weight": 0.5})
    await ask(one, "PATCH", EDGES, edge)
    await ask(one, "DELETE", EDGES, edge)
    await ask(one, "DELETE", EDGES, target_id="nobody", type="cites")

    assert (added["document_id"], added["scope"], added["error"]) == ("drive-1", "document", None)
    given = {"source_id": "drive-1", "target_id": "nobody", "relationship_type": "cites"}
    assert await said(one) == [
        ("ADD_RELATIONSHIP", given | {"metadata": {"page": 12}}),
        ("UPDATE_RELATIONSHIP", given | {"metadata": {"page": 13}}),
        ("UPDATE_RELATIONSHIP", given | {"weight": 0.5}),
        ("UPDATE_RELATIONSHIP", given),
        ("REMOVE_RELATIONSHIP", given),
        ("REMOVE_RELATIONSHIP", given),
    ]
    document = (await one.http.get("/v1/documents/drive-1")).json()
    assert document["state"]["document"]["version"] == 1
    assert document["header"]["revision"] == {"document": 8}


async def test_children_are_edges_of_one_type_and_one_job(one: Running) -> None:
    await one.create("drive-1")
    job = await ask(one, "POST", CHILDREN, {"ids": ["a", "b"]})
    await ask(one, "DELETE", CHILDREN, {"ids": ["b"]})

    assert job["status"] == "READ_READY"
    assert [
        (kind, input["target_id"], input["relationship_type"]) for kind, input in await said(one)
    ] == [
        ("ADD_RELATIONSHIP", "a", "child"),
        ("ADD_RELATIONSHIP", "b", "child"),
        ("REMOVE_RELATIONSHIP", "b", "child"),
    ]


async def test_a_key_makes_a_request_one_request(one: Running) -> None:
    await one.create("drive-1")
    for _ in range(2):
        reply = await one.http.post(
            CHILDREN, params=WAIT, json={"ids": ["a"]}, headers={"Idempotency-Key": "k"}
        )
        assert reply.status_code == 200

    assert len(await said(one)) == 1


async def test_without_wait_it_answers_202(one: Running) -> None:
    await one.create("drive-1")
    reply = await one.http.post(EDGES, json={"target_id": "a", "type": "cites"})

    assert (reply.status_code, reply.json()["status"]) == (202, "PENDING")


async def test_a_source_that_is_missing_fails_the_job(one: Running) -> None:
    reply = await one.http.post(EDGES, params=WAIT, json={"target_id": "a", "type": "cites"})

    assert problem_of(reply) == (404, "DocumentNotFound")
    assert reply.json()["job"]["status"] == "FAILED"


async def test_edges_are_of_one_branch(one: Running) -> None:
    await one.create("drive-1")
    await one.create("drive-1", branch="draft")
    job = await ask(one, "POST", CHILDREN, {"ids": ["a"], "branch": "draft"})
    await ask(one, "DELETE", EDGES, target_id="a", type="child", branch="draft")

    assert job["branch"] == "draft"
    assert await said(one) == []


@pytest.mark.parametrize(
    ("method", "url", "body", "field"),
    [
        ("POST", EDGES, {"target_id": "a"}, "type"),
        ("POST", EDGES, {"type": "cites"}, "target_id"),
        ("POST", EDGES, {"target_id": "drive-1", "type": "cites"}, "target_id"),
        ("POST", EDGES, {"target_id": "a/b", "type": "cites"}, "target_id"),
        ("POST", EDGES, {"target_id": "a", "type": "a b"}, "type"),
        ("POST", EDGES, {"target_id": "a", "type": "cites", "weight": "3"}, "weight"),
        ("POST", EDGES, {"target_id": "a", "type": "cites", "weight": True}, "weight"),
        ("POST", EDGES, {"target_id": "a", "type": "cites", "mood": "glad"}, "mood"),
        ("POST", EDGES, {"target_id": "a", "type": "cites", "branch": "a b"}, "branch"),
        ("POST", "/v1/documents/a b/relationships", {"target_id": "a", "type": "c"}, "id"),
        ("PATCH", EDGES, {"target_id": "a"}, "type"),
        ("DELETE", EDGES, {"target_id": "a", "type": "c", "metadata": 3}, "metadata"),
        ("DELETE", EDGES, None, "target_id"),
        ("DELETE", f"{EDGES}?target_id=a", None, "target_id"),
        ("DELETE", f"{EDGES}?type=c", {"target_id": "a", "type": "c"}, "target_id"),
        ("POST", CHILDREN, {"ids": []}, "ids"),
        ("POST", CHILDREN, {"ids": ["a", "drive-1"]}, "ids.1"),
        ("POST", CHILDREN, {"ids": ["a", ".."]}, "ids.1"),
        ("POST", CHILDREN, {"ids": "a"}, "ids"),
        ("DELETE", CHILDREN, {}, "ids"),
    ],
)
async def test_edges_that_cannot_be_are_refused_by_field(
    one: Running, method: str, url: str, body: Any, field: str
) -> None:
    content = {} if body is None else {"json": body}
    reply = await one.http.request(method, url, **content)

    assert problem_of(reply) == (422, "InvalidInput")
    assert reply.json()["field"] == field


async def test_more_children_than_a_job_takes_are_refused_naming_the_limit() -> None:
    async with one_node(job_actions_max=2) as one:
        reply = await one.http.post(CHILDREN, json={"ids": ["a", "b", "c"]})

    assert problem_of(reply) == (413, "TooLarge")
    assert reply.json()["limit"] == 2
