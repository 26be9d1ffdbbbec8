"""The calls of the Python client that ask how documents are related, over a real node."""

from __future__ import annotations

import asyncio

import pytest

from docreactor import SyncReactor
from docreactor.examples.todo import todo
from docreactor.gateway.edges import Relationships
from docreactor.pipeline.errors import InvalidInputError, NotYetVisibleError
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.testing import reactor
from tests.gateway.deployment import Running, several_nodes
from tests.gateway.routes.test_edges import related


def said(page: Relationships) -> list[str]:
    return [f"{edge.source_id} {edge.type} {edge.target_id}" for edge in page.relationships]


async def test_edges_are_asked_for_by_each_of_their_ends(one: Running) -> None:
    calls = one.reactor
    token = await related(one, "a cites b", "b cites a", "a child b", "a child c")

    assert said(await calls.outgoing("a", token=token)) == ["a cites b", "a child b", "a child c"]
    assert said(await calls.incoming("a")) == ["b cites a"]
    assert said(await calls.relationships("a", types=["cites"])) == ["a cites b", "b cites a"]
    assert said(await calls.directed("a", "b")) == ["a cites b", "a child b"]
    assert said(await calls.directed("a", "b", ["child"])) == ["a child b"]
    assert said(await calls.undirected("b", "a", ["cites"])) == ["a cites b", "b cites a"]
    first = await calls.outgoing("a", limit=2)
    assert said(await calls.outgoing("a", limit=2, cursor=first.next_cursor)) == ["a child c"]


async def test_an_edge_says_what_is_known_about_it(one: Running) -> None:
    await one.create("a")
    calls = one.reactor
    job = await calls.relate("a", "b", "cites", metadata=[1], weight=2.5, wait="read")
    (edge,) = (await calls.outgoing("a", token=job.token)).relationships

    assert (edge.metadata, edge.weight, edge.branch) == ([1], 2.5, "main")
    assert edge.created_at == edge.updated_at


async def test_ancestors_are_a_graph_to_walk_through(one: Running) -> None:
    token = await related(one, "root child a", "root child b", "a child c", "b child c")
    graph = await one.reactor.ancestors("c", ["child"], token=token)

    assert sorted(graph.all) == ["a", "b", "c", "root"]
    assert graph.roots == ["root"]
    walked = graph.traverse("root", "breadth-first")
    assert (walked[0], walked[-1]) == ("root", "c")
    assert graph.aggregate(lambda count, _, __: count + 1, 0) == 4


async def test_ways_and_families_are_plain_values(one: Running) -> None:
    calls = one.reactor
    token = await related(one, "a child b", "a child c", "b child c", "c cites d")

    assert await calls.path("a", "d", token=token) == ["a", "c", "d"]
    assert await calls.path("a", "d", ["child"]) is None
    assert await calls.has_relationship("c", "d")
    assert not await calls.has_relationship("c", "d", ["child"])
    assert await calls.relationship_types() == ["child", "cites"]
    assert (await calls.children("a")).ids == ["b", "c"]
    assert (await calls.parents("c")).ids == ["a", "b"]
    assert (await calls.orphans(["a"])).ids == ["b"]
    assert (await calls.orphans(["c"], ["cites"])).ids == ["d"]


async def test_refusals_are_raised_by_name(one: Running) -> None:
    far = Position(one.node.log_id, {Partition(0): Offset(10**6)}).token
    with pytest.raises(InvalidInputError):
        await one.reactor.outgoing("a b")
    with pytest.raises(NotYetVisibleError):
        await one.reactor.path("a", "b", token=far, timeout_ms=10)


async def test_a_reactor_of_the_test_kit_has_a_graph() -> None:
    async with reactor(todo) as calls:
        await calls.create("example/todo", id="a", wait="read")
        child = await calls.create("example/todo", parent="a", wait="write")
        assert (await calls.children("a", token=child.token)).ids == [child.document_id]


async def test_the_blocking_client_asks_the_same() -> None:
    def ask(url: str) -> list[str] | None:
        with SyncReactor(url) as calls:
            calls.create("example/todo", id="a", wait="read")
            job = calls.add_children("a", ["b"], wait="read")
            assert calls.ancestors("b", token=job.token).all == ["b", "a"]
            return calls.path("a", "b")

    async with several_nodes(1) as (only,):
        assert await asyncio.to_thread(ask, str(only.http.base_url)) == ["a", "b"]
