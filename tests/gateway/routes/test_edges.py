"""The edges of a document over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.gateway.reach import ANSWERED_BY, NODE, POSITION
from docreactor.pipeline.position import Offset, Partition, Position
from tests.gateway.deployment import Running, problem_of, several_nodes


async def related(running: Running, *edges: str, **described: Any) -> str:
    """Documents with these edges, `a cites b`; the token of all of it."""
    position = Position(running.node.log_id, {})
    for edge in edges:
        source_id, edge_type, target_id = edge.split()
        reply = await running.http.get(f"/v1/documents/{source_id}")
        if reply.status_code == 404:
            await running.create(source_id)
        job = await running.reactor.relate(
            source_id, target_id, edge_type, wait="write", **described
        )
        position = position.merge(Position.parse(job.token, log_id=running.node.log_id))
    return position.token


async def listed(running: Running, document_id: str, **query: Any) -> list[str]:
    reply = await running.http.get(f"/v1/documents/{document_id}/relationships", params=query)
    assert reply.status_code == 200, reply.text
    assert reply.json()["next_cursor"] is None
    edges = reply.json()["relationships"]
    return [f"{edge['source_id']} {edge['type']} {edge['target_id']}" for edge in edges]


async def test_edges_are_listed_by_direction_in_the_order_of_their_time(one: Running) -> None:
    edges = ["a cites c", "a cites b", "b cites a", "a child b", "c cites b"]
    token = await related(one, *edges)

    assert await listed(one, "a", token=token) == ["a cites c", "a cites b", "a child b"]
    assert await listed(one, "a", direction="in") == ["b cites a"]
    assert await listed(one, "a", direction="both") == edges[:4]
    assert await listed(one, "a", type="child") == ["a child b"]
    assert await listed(one, "a", type=["child,cites"]) == edges[:2] + edges[3:4]
    assert await listed(one, "a", direction="both", type=["child", "x"]) == ["a child b"]
    assert await listed(one, "nobody", direction="both") == []


async def test_those_between_two_documents_are_listed_one_way_and_both_ways(one: Running) -> None:
    edges = ["a cites b", "b cites a", "a child b", "a cites c"]
    token = await related(one, *edges)
    between = {"with": "b", "token": token}

    assert await listed(one, "a", **between) == ["a cites b", "a child b"]
    assert await listed(one, "a", direction="in", **between) == ["b cites a"]
    assert await listed(one, "a", direction="both", **between) == edges[:3]
    both_ways = await listed(one, "b", direction="both", **{"with": "a"})
    assert both_ways == edges[:3]
    assert await listed(one, "a", type="child", **between) == ["a child b"]


@pytest.mark.parametrize(
    "query",
    [
        {"direction": "out"},
        {"direction": "both"},
        {"direction": "both", "with": "b"},
        {"type": "t0,t1,t2,t3"},
    ],
)
async def test_pages_follow_each_other_without_gap_or_repeat(
    one: Running, query: dict[str, Any]
) -> None:
    token = await related(one, *[f"a t{number} b" for number in range(4)], "b t0 a", "a t0 c")
    whole = await listed(one, "a", token=token, **query)
    paged: list[str] = []
    cursor = None
    while True:
        page = await one.reactor.relationships(
            "a",
            direction=query.get("direction", "out"),
            types=query.get("type"),
            other=query.get("with"),
            limit=2,
            cursor=cursor,
        )
        assert len(page.relationships) <= 2
        paged += [f"{edge.source_id} {edge.type} {edge.target_id}" for edge in page.relationships]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert paged == whole
    assert len(whole) > 2


async def test_an_edge_carries_what_is_known_about_it(one: Running) -> None:
    token = await related(one, "a cites b", metadata={"page": 1}, weight=0.5)
    url = "/v1/documents/a/relationships"
    added = (await one.http.get(url, params={"token": token})).json()["relationships"][0]
    job = await one.reactor.update_relationship("a", "b", "cites", wait="read")
    updated = (await one.http.get(url, params={"token": job.token})).json()["relationships"][0]

    assert added == {
        "source_id": "a",
        "target_id": "b",
        "type": "cites",
        "branch": "main",
        "metadata": {"page": 1},
        "weight": 0.5,
        "created_at": added["created_at"],
        "updated_at": added["created_at"],
    }
    assert (updated["metadata"], "weight" in updated) == (None, False)
    assert updated["created_at"] == added["created_at"] < updated["updated_at"]


async def test_the_reply_says_who_answered_and_up_to_where(one: Running) -> None:
    token = await related(one, "a cites b")
    reply = await one.http.get("/v1/documents/a/relationships", params={"token": token})

    position = Position.parse(reply.headers[POSITION], log_id=one.node.log_id)
    assert position.reached(Position.parse(token, log_id=one.node.log_id))
    assert (reply.headers[ANSWERED_BY], reply.headers[NODE]) == ("local", one.node.node_id)


async def test_edges_are_of_one_branch(one: Running) -> None:
    await related(one, "a cites b")
    await one.create("a", branch="draft")
    job = await one.reactor.relate("a", "c", "cites", branch="draft", wait="read")

    assert await listed(one, "a", token=job.token) == ["a cites b"]
    assert await listed(one, "a", token=job.token, branch="draft") == ["a cites c"]


async def test_a_deleted_document_keeps_its_edges_and_an_erased_one_only_those_to_it(
    one: Running,
) -> None:
    await related(one, "a cites b", "b cites a")
    deleted = await one.reactor.delete("a", wait="read")
    assert await listed(one, "a", direction="both", token=deleted.token) == [
        "a cites b",
        "b cites a",
    ]

    erased = await one.reactor.erase("a", wait="read")
    assert await listed(one, "a", direction="both", token=erased.token) == ["b cites a"]


async def test_what_is_undone_is_no_edge(one: Running) -> None:
    await related(one, "a cites b", "a cites c")
    undone = await one.reactor.undo("a", scope="document", wait="read")
    assert await listed(one, "a", token=undone.token) == ["a cites b"]
    again = await one.reactor.redo("a", scope="document", wait="read")
    assert await listed(one, "a", token=again.token) == ["a cites b", "a cites c"]


def saying(action_type: str, second: int, target_id: str) -> dict[str, Any]:
    """What `a` said so many seconds after it was created."""
    return {
        "id": f"{action_type}-{second}",
        "type": action_type,
        "scope": "document",
        "timestamp": f"2024-01-01T00:00:{second:02}.000000Z",
        "input": {"source_id": "a", "target_id": target_id, "relationship_type": "cites"},
    }


async def test_edges_are_what_the_effective_order_makes_of_them(one: Running) -> None:
    await one.create("a", timestamp="2024-01-01T00:00:00Z")
    here = [
        saying("ADD_RELATIONSHIP", 20, "b"),
        saying("REMOVE_RELATIONSHIP", 30, "c"),
        saying("ADD_RELATIONSHIP", 40, "d"),
    ]
    job = await one.reactor.submit("a", here, wait="read")
    assert await listed(one, "a", token=job.token) == ["a cites b", "a cites d"]

    # What comes from elsewhere is placed by its time, so everything after it is applied again.
    there = [saying("REMOVE_RELATIONSHIP", 10, "b"), saying("ADD_RELATIONSHIP", 15, "c")]
    job = await one.reactor.load("a", [{"action": one} for one in there], wait="read")
    page = await one.reactor.history("a", scope="document", token=job.token)
    assert any(operation.skip for operation in page.operations)
    assert await listed(one, "a", token=job.token) == ["a cites b", "a cites d"]

    # A removal that belongs before d takes b away; d is superseded and applied again.
    job = await one.reactor.load(
        "a", [{"action": saying("REMOVE_RELATIONSHIP", 35, "b")}], wait="read"
    )
    assert await listed(one, "a", token=job.token) == ["a cites d"]
    # An undo at the end supersedes d, and nothing applies it again.
    job = await one.reactor.undo("a", scope="document", wait="read")
    assert await listed(one, "a", token=job.token) == []
    assert (await one.http.get("/v1/graph/path?source=a&target=d")).json() == {"path": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"direction": "up"}, "direction"),
        ({"type": "a b"}, "type"),
        ({"with": "a/b"}, "with"),
        ({"branch": "a b"}, "branch"),
        ({"limit": 0}, "limit"),
        ({"limit": 1_001}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "x", "with": "b"}, "cursor"),
        ({"mood": "glad"}, "mood"),
    ],
)
async def test_a_question_that_cannot_be_is_refused_by_field(
    one: Running, query: dict[str, Any], field: str
) -> None:
    reply = await one.http.get("/v1/documents/a/relationships", params=query)

    assert problem_of(reply) == (422, "InvalidInput")
    assert reply.json()["field"] == field


async def test_a_token_that_is_not_reached_in_time_is_504(one: Running) -> None:
    far = Position(one.node.log_id, {Partition(0): Offset(10**6)})
    query: dict[str, Any] = {"token": far.token, "timeout_ms": 20}
    reply = await one.http.get("/v1/documents/a/relationships", params=query)
    other = Position("0" * 32, {}).token
    strange = await one.http.get("/v1/documents/a/relationships", params={"token": other})

    assert problem_of(reply) == (504, "NotYetVisible")
    assert problem_of(strange) == (409, "TokenOfAnotherLog")


async def test_every_node_answers_by_itself() -> None:
    async with several_nodes(2) as (first, second):
        names = [f"d{number}" for number in range(6)]
        token = await related(first, *[f"{one} cites hub" for one in names])
        owners = {first.node.owner(first.node.partition_of(one)) for one in names}
        for node in (first, second):
            query = {"direction": "in", "token": token}
            reply = await node.http.get("/v1/documents/hub/relationships", params=query)
            assert len(reply.json()["relationships"]) == 6
            assert reply.headers[ANSWERED_BY] == "local"
            assert reply.headers[NODE] == node.node.node_id

    assert len(owners) == 2
