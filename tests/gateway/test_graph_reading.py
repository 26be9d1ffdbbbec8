"""How the graph is asked, over real nodes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from docreactor.gateway.graph_reading import checked, types_of
from docreactor.gateway.reach import POSITION
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.position import Offset, Partition, Position
from tests.gateway.deployment import Running, problem_of, several_nodes
from tests.support.nodes import until


def far(running: Running) -> str:
    """The token of a write that nobody makes."""
    return Position(running.node.log_id, {Partition(0): Offset(10**6)}).token


async def test_a_read_waits_until_the_graph_shows_what_its_token_names(one: Running) -> None:
    await one.create("a")
    job = await one.reactor.relate("a", "b", "cites", wait="write")
    query = {"token": job.token}
    reply = await one.http.get("/v1/documents/a/relationships", params=query)

    assert len(reply.json()["relationships"]) == 1
    shown = Position.parse(reply.headers[POSITION], log_id=one.node.log_id)
    assert shown.reached(Position.parse(job.token, log_id=one.node.log_id))


async def test_until_the_graph_is_there_nobody_is_told_that_it_is_empty(one: Running) -> None:
    one.node.graph.is_ready = False
    for url in ("/v1/documents/a/relationships", "/v1/graph/types", "/v1/graph/ancestors?id=a"):
        reply = await one.http.get(url)
        assert problem_of(reply) == (503, "Restoring")
        assert "Retry-After" in reply.headers
        assert isinstance(reply.json()["progress"], float)


async def test_who_disconnects_waits_no_more() -> None:
    async with several_nodes(1) as (only,):
        reached = only.node.graph.reached(0)
        query = {"token": far(only)}
        asked = only.http.get("/v1/graph/types", params=query, timeout=30)
        waiting = asyncio.create_task(asked)
        await until(lambda: reached.waiting == 1)
        waiting.cancel()
        await until(lambda: reached.waiting == 0)


async def test_a_wait_that_ends_in_vain_leaves_nothing_waiting(one: Running) -> None:
    query: dict[str, Any] = {"token": far(one), "timeout_ms": 10}
    reply = await one.http.get("/v1/graph/types", params=query)

    assert problem_of(reply) == (504, "NotYetVisible")
    assert one.node.graph.reached(0).waiting == 0


def test_ids_and_types_are_taken_once_each_in_their_order() -> None:
    assert checked(["b", "a", "b"], field="ids") == ["b", "a"]
    assert types_of(["child", "cites", "child"]) == ["child", "cites"]
    assert types_of([]) is None
    with pytest.raises(InvalidInputError):
        checked(["a/b"], field="ids")
    with pytest.raises(InvalidInputError):
        types_of(["a b"])
