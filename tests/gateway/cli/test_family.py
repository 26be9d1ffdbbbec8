"""The commands about parents and children."""

from __future__ import annotations

from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes
from tests.gateway.routes.test_edges import related


async def test_families_are_listed_and_drawn() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        token = await related(only, "a child b", "a child c", "b child c", "c child d")
        listed = await say("graph", "children", "a", "--after", token, url=url)
        paged = await say("graph", "children", "a", "--limit", "1", url=url)
        rest = await say(
            "graph", "children", "a", "--cursor", paged.err.split()[-1], "--json", url=url
        )
        tree = await say("graph", "children", "a", "--depth", "5", url=url)
        cut = await say("graph", "children", "a", "--depth", "2", "--limit", "1", "--json", url=url)
        wrong = await say("graph", "children", "a", "--depth", "2", "--cursor", "x", url=url)
        parents = await say("graph", "parents", "c", url=url)
        orphans = await say("graph", "orphans", "a", url=url)
        all_three = await say("graph", "orphans", "a", "b", "c", "--json", url=url)
        untyped = await say("graph", "orphans", "a", "--type", "cites", url=url)

    assert listed.out == "b\nc\n"
    assert paged.out == "b\n"
    assert rest.json == {"ids": ["c"], "next_cursor": None}
    assert tree.out.splitlines()[0] == "a"
    assert (tree.out.count("c child"), tree.out.count("d child")) == (2, 1)
    branch = {"id": "b", "type": "child", "branches": [{"id": "c", "type": "child"}]}
    assert cut.json == {"id": "a", "branches": [branch], "more": True}
    assert (wrong.code, wrong.out) == (2, "")
    assert parents.out == "a\nb\n"
    assert orphans.out == "b\n"
    assert sorted(all_three.json["ids"]) == ["b", "c", "d"]
    assert untyped.out == ""
