"""Who answers: this node, the owner, every owner, or nobody."""

from __future__ import annotations

import orjson
from starlette.requests import Request

from docreactor.agents.coordinator import view_key
from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.node import Node
from docreactor.gateway.facts import begin_facts
from docreactor.gateway.reach import ANSWERED_BY, NODE, PARTITIONS, POSITION, Call
from tests.gateway.deployment import TODO_TYPE, one_node, problem_of, several_nodes
from tests.gateway.test_mutations import of_the_other
from tests.support.nodes import until


def request_of(**headers: str) -> Request:
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": b"/v1/documents/a%2Fb",
        "query_string": b"branch=main",
        "headers": [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()],
    }
    begin_facts(scope, "call-1")
    return Request(scope)


def test_a_call_is_passed_on_as_it_came_with_token_and_id() -> None:
    request = request_of(authorization="Bearer x", accept="text/html", host="node")
    call = Call.like(request, patience_s=1, content=b"{}")

    assert (call.method, call.content) == ("GET", b"{}")
    assert call.target == "/v1/documents/a%2Fb?branch=main"
    assert call.headers == {"authorization": "Bearer x", "x-request-id": "call-1"}
    assert call.keyed("k").headers["idempotency-key"] == "k"
    assert call.to("/v1/documents/c").target == "/v1/documents/c?branch=main"
    assert call.to("/v1/documents", "slugs=c").target == "/v1/documents?slugs=c"


async def test_a_read_whose_owner_does_not_answer_is_503() -> None:
    async with several_nodes(2, mute=1) as (first, mute):
        document_id = of_the_other(first, mute)
        reply = await first.http.get(f"/v1/documents/{document_id}")
        listed = await first.http.get("/v1/documents", params={"type": TODO_TYPE})

    for refusal in (reply, listed):
        assert problem_of(refusal) == (503, "Restoring")
        assert refusal.headers["retry-after"] == "1"
        assert {ANSWERED_BY, POSITION, NODE} & {name.title() for name in refusal.headers}


async def test_a_document_stays_readable_while_another_owner_does_not_answer() -> None:
    async with several_nodes(2, mute=1) as (first, mute):
        document_id = of_the_other(mute, first)
        await first.create(document_id)
        by_id = await first.http.get(f"/v1/documents/{document_id}")
        by_slug = await first.http.get("/v1/documents/some-slug-of-anybody")

    assert (by_id.status_code, by_id.headers[ANSWERED_BY]) == (200, "local")
    assert problem_of(by_slug) == (503, "Restoring")


async def test_a_forwarded_call_is_not_forwarded_again() -> None:
    async with several_nodes(2) as (first, second):
        document_id = of_the_other(first, second)
        partition = str(first.node.partition_of(document_id))
        headers = {PARTITIONS: partition}
        reply = await first.http.get(f"/v1/documents/{document_id}", headers=headers)
        listed = await first.http.get("/v1/documents?type=x", headers=headers)

    assert problem_of(reply) == (503, "Restoring")
    assert problem_of(listed) == (503, "Restoring")


async def test_forwarded_calls_carry_the_bearer_token() -> None:
    async with several_nodes(2, http_token="open sesame") as (first, second):
        document_id = of_the_other(first, second)
        await first.create(document_id)
        reply = await first.http.get(f"/v1/documents/{document_id}")

    assert (reply.status_code, reply.headers[ANSWERED_BY]) == (200, "forwarded")
    assert reply.headers[NODE] == second.node.node_id


async def test_a_call_that_no_other_node_could_read_is_refused() -> None:
    async with several_nodes(2) as (first, _):
        asked = {"slugs": "x" * 1_000, "scopes": ["s" * 64] * 840}
        reply = await first.http.get("/v1/documents", params=asked)

    assert problem_of(reply) == (413, "TooLarge")


async def test_a_document_stays_readable_by_its_id_while_partitions_serve_apart() -> None:
    async with one_node(partitions=2) as running:
        node = running.node
        await running.create("d1")
        node.coordinator.rebuild("documents")
        await until(lambda: node.coordinator.served("documents", 1) == 1)
        await until(lambda: node.coordinator.common("documents") == 1)
        await _tell(node, generation=0, partition=0, serving=True)
        await _tell(node, generation=1, partition=0, serving=False)
        await _tell(node, generation=0, partition=1, serving=False)
        await until(lambda: node.coordinator.common("documents") is None)
        by_id = await running.http.get("/v1/documents/d1")
        listed = await running.http.get("/v1/documents", params={"type": TODO_TYPE})

    assert by_id.status_code == 200
    assert problem_of(listed) == (503, "Restoring")


async def _tell(node: Node, *, generation: int, partition: int, serving: bool) -> None:
    """As an owner who is newer than this one."""
    row = {"epoch": 99, "generation": generation, "name": "documents", "next_offset": 1}
    row |= {"partition": partition, "serving": serving, "caught_up": False}
    key = view_key("documents", generation, partition).encode()
    writer = await node.log.writer()
    await writer.append(TopicPartition(node.topics.positions, 0), [Entry(key, orjson.dumps(row))])
