"""Paths, ancestors and families over HTTP."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from docreactor.gateway.reach import ANSWERED_BY, NODE, POSITION
from docreactor.pipeline.position import Offset, Partition, Position
from tests.gateway.deployment import Running, one_node, problem_of, several_nodes
from tests.gateway.routes.test_edges import related


async def ask(running: Running, place: str, **query: Any) -> Any:
    reply = await running.http.get(f"/v1/graph/{place}", params=query)
    assert reply.status_code == 200, reply.text
    assert reply.headers[ANSWERED_BY] == "local"
    assert reply.headers[NODE] == running.node.node_id
    return reply.json()


async def test_a_path_is_the_shortest_way_along_edges(one: Running) -> None:
    token = await related(one, "a child b", "b child c", "c cites d", "a cites d", "c child a")

    def way(source: str, target: str, *types: str) -> dict[str, Any]:
        return {"source": source, "target": target, "type": list(types), "token": token}

    assert await ask(one, "path", **way("a", "d")) == {"path": ["a", "d"]}
    assert await ask(one, "path", **way("b", "d")) == {"path": ["b", "c", "d"]}
    assert await ask(one, "path", **way("a", "d", "child")) == {"path": None}
    assert await ask(one, "path", **way("a", "c", "child,cites")) == {"path": ["a", "b", "c"]}
    assert await ask(one, "path", **way("d", "a")) == {"path": None}
    assert await ask(one, "path", **way("d", "d")) == {"path": ["d"]}
    assert await ask(one, "path", **way("nobody", "nobody")) == {"path": ["nobody"]}
    assert await ask(one, "path", **way("c", "b", "child")) == {"path": ["c", "a", "b"]}


async def test_ancestors_are_a_graph_that_ends_in_circles(one: Running) -> None:
    edges = ("root child a", "root child b", "a child c", "b child c", "c child root", "x cites c")
    token = await related(one, *edges)

    found = await ask(one, "ancestors", id="c", type="child", token=token)
    assert found["nodes"][0] == "c"
    assert sorted(found["nodes"]) == ["a", "b", "c", "root"]
    links = sorted(f"{one['from']} {one['type']} {one['to']}" for one in found["edges"])
    assert links == sorted(edges[:5])
    assert "x" in (await ask(one, "ancestors", id="c", token=token))["nodes"]
    assert await ask(one, "ancestors", id="nobody") == {"nodes": ["nobody"], "edges": []}


async def test_orphans_have_no_parent_but_those_that_are_named(one: Running) -> None:
    edges = ["a child x", "a child y", "b child y", "b child z", "c child z", "a part w"]
    token = await related(one, *edges)

    assert (await ask(one, "orphans", parents="a", token=token))["ids"] == ["x"]
    assert (await ask(one, "orphans", parents="a,b"))["ids"] == ["x", "y"]
    assert (await ask(one, "orphans", parents=["a", "b", "c"]))["ids"] == ["x", "y", "z"]
    assert (await ask(one, "orphans", parents="a", type="part"))["ids"] == ["w"]
    first = await ask(one, "orphans", parents="a,b,c", limit=2)
    rest = await ask(one, "orphans", parents="a,b,c", limit=2, cursor=first["next_cursor"])
    assert (first["ids"] + rest["ids"], rest["next_cursor"]) == (["x", "y", "z"], None)


async def test_children_and_parents_are_paged_in_the_order_in_which_they_became_that(
    one: Running,
) -> None:
    token = await related(one, "a child z", "a child y", "b child y", "a cites x")

    whole = await ask(one, "children", id="a", token=token)
    assert whole == {"ids": ["z", "y"], "next_cursor": None}
    assert (await ask(one, "parents", id="y"))["ids"] == ["a", "b"]
    first = await ask(one, "children", id="a", limit=1)
    rest = await ask(one, "children", id="a", limit=1, cursor=first["next_cursor"])
    assert (first["ids"], rest) == (["z"], {"ids": ["y"], "next_cursor": None})


async def test_it_says_whether_there_is_an_edge_and_which_types_there_are(one: Running) -> None:
    token = await related(one, "a child b", "b cites c")

    assert await ask(one, "has", source="a", target="b", token=token) == {"has": True}
    assert await ask(one, "has", source="b", target="a") == {"has": False}
    assert await ask(one, "has", source="a", target="b", type="cites") == {"has": False}
    assert await ask(one, "has", source="a", target="b", type="cites,child") == {"has": True}
    assert await ask(one, "types") == {"types": ["child", "cites"], "next_cursor": None}
    assert (await ask(one, "types", branch="draft"))["types"] == []
    gone = await one.reactor.unrelate("b", "c", "cites", wait="read")
    assert (await ask(one, "types", token=gone.token))["types"] == ["child"]


@pytest.mark.parametrize(
    ("place", "query", "field"),
    [
        ("path", {"source": "a"}, "target"),
        ("path", {"target": "a"}, "source"),
        ("path", {"source": "a", "target": "a/b"}, "target"),
        ("path", {"source": "a b", "target": "a"}, "source"),
        ("path", {"source": "a", "target": "b", "type": "a b"}, "type"),
        ("has", {"source": "a", "target": ".."}, "target"),
        ("ancestors", {}, "id"),
        ("ancestors", {"id": "a/b"}, "id"),
        ("ancestors", {"id": "a", "limit": 3}, "limit"),
        ("orphans", {}, "parents"),
        ("orphans", {"parents": ","}, "parents"),
        ("orphans", {"parents": "a b"}, "parents"),
        ("orphans", {"parents": "a", "cursor": "x"}, "cursor"),
        ("children", {"id": "a", "cursor": "x"}, "cursor"),
        ("parents", {"id": "a", "limit": 0}, "limit"),
        ("types", {"branch": "a b"}, "branch"),
    ],
)
async def test_a_question_that_cannot_be_is_refused_by_field(
    one: Running, place: str, query: dict[str, Any], field: str
) -> None:
    reply = await one.http.get(f"/v1/graph/{place}", params=query)

    assert problem_of(reply) == (422, "InvalidInput")
    assert reply.json()["field"] == field


async def test_a_walk_that_meets_too_many_documents_says_so() -> None:
    async with one_node(graph_documents_max=2) as one:
        token = await related(one, "a child b", "b child c", "c child d")
        walks = [
            await one.http.get("/v1/graph/ancestors", params={"id": "d", "token": token}),
            await one.http.get("/v1/graph/path", params={"source": "a", "target": "d"}),
        ]

    for reply in walks:
        assert problem_of(reply) == (422, "WalkTooLong")
        assert reply.json()["limit"] == 2


async def test_a_write_shows_on_every_node_at_its_token() -> None:
    async with several_nodes(2) as (first, second):
        names = [f"d{number}" for number in range(8)]
        for name in names:
            await first.create(name)
        for before, after in pairwise(names):
            job = await first.reactor.relate(before, after, "next", wait="write")
            query = {"source": "d0", "target": after, "token": job.token}
            found = await ask(second, "path", **query)
            assert found["path"] == names[: names.index(after) + 1]


async def test_a_token_that_is_not_reached_in_time_is_504_and_says_where_it_stands(
    one: Running,
) -> None:
    far = Position(one.node.log_id, {Partition(0): Offset(10**6)})
    reply = await one.http.get("/v1/graph/types", params={"token": far.token, "timeout_ms": 20})

    assert problem_of(reply) == (504, "NotYetVisible")
    assert reply.json()["wanted"] == far.token
    Position.parse(reply.json()["reached"], log_id=one.node.log_id)
    assert POSITION in reply.headers
