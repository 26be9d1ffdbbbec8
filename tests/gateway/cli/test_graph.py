"""The commands that follow edges."""

from __future__ import annotations

from docreactor.gateway.cli.graph import app
from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes
from tests.gateway.routes.test_edges import related


async def test_edges_ways_and_ancestors_are_shown_to_people_and_programs() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        edges = ("root child a", "root child b", "a child c", "b child c", "c cites x")
        token = await related(only, *edges, weight=0.5)
        table = await say("graph", "edges", "c", "--after", token, url=url)
        listed = await say("graph", "edges", "a", "--direction", "in", "--json", url=url)
        between = await say("graph", "edges", "c", "--with", "x", "--type", "cites", url=url)
        paged = await say("graph", "edges", "root", "--limit", "1", url=url)
        way = await say("graph", "path", "root", "x", url=url)
        same = await say("graph", "path", "root", "x", "--json", url=url)
        none = await say("graph", "path", "x", "root", url=url)
        typed = await say("graph", "path", "root", "x", "--type", "child", "--json", url=url)
        tree = await say("graph", "ancestors", "c", "--type", "child", url=url)
        near = await say("graph", "ancestors", "c", "--depth", "1", url=url)
        graph = await say("graph", "ancestors", "c", "--json", url=url)
        has = await say("graph", "has", "c", "x", url=url)
        not_so = await say("graph", "has", "x", "c", "--json", url=url)
        types = await say("graph", "types", url=url)

    for text in ("a", "child", "cites", "x", "0.5"):
        assert text in table.out
    (edge,) = listed.json["relationships"]
    assert (edge["source_id"], edge["weight"]) == ("root", 0.5)
    assert "cites" in between.out
    assert "child" not in between.out
    assert "--cursor" in paged.err
    assert way.out.split("\n")[0::3] == ["root", "x"]
    assert len(same.json["path"]) == 4
    assert (none.code, none.out) == (1, "")
    assert "No way leads from x to root." in none.err
    assert (typed.code, typed.json) == (1, {"path": None})
    assert tree.out.splitlines()[0] == "c"
    assert (tree.out.count("root child"), tree.out.count("…")) == (2, 0)
    assert "root" not in near.out
    assert set(graph.json) == {"nodes", "edges"}
    assert len(graph.json["edges"]) == 4
    assert (has.code, has.out) == (0, "yes\n")
    assert (not_so.code, not_so.json) == (1, {"has": False})
    assert types.out == "child\ncites\n"


def test_each_command_teaches_its_use_by_an_example() -> None:
    taught = {
        command.callback: command.callback.__doc__
        for command in app.registered_commands
        if command.callback
    }

    names = {callback.__name__ for callback in taught}
    assert names == {
        "edges",
        "path",
        "has",
        "ancestors",
        "children",
        "parents",
        "orphans",
        "types",
    }
    for callback, text in taught.items():
        assert f"`docreactor graph {callback.__name__}" in (text or "")
