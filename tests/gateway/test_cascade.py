"""What a deletion takes with it."""

from __future__ import annotations

import pytest

from docreactor.gateway.cascade import Cascade, CascadePlanner, Cut
from docreactor.pipeline.errors import TooLargeError
from tests.support.graphs import BRANCH, graph_of


def planner(*lines: str, count_max: int = 100) -> CascadePlanner:
    return CascadePlanner(graph_of(*lines), BRANCH, count_max=count_max)


async def test_edges_from_it_and_to_it_go_by_source() -> None:
    cascade = await planner("a cites b c", "b > a", "b cites a", "c > a", "b > c").edges("a")

    assert cascade.documents == {"a": ()}
    assert cascade.edges == {
        "a": [Cut("cites", "b"), Cut("cites", "c")],
        "b": [Cut("child", "a"), Cut("cites", "a")],
        "c": [Cut("child", "a")],
    }


async def test_children_go_with_the_edges_to_them_and_keep_those_from_them() -> None:
    cascade = await planner("root > a", "a > b", "x cites b", "b cites x", "a cites x").children(
        "a"
    )

    assert cascade.documents == {"b": [], "a": ["b"]}
    assert {source: sorted(cuts) for source, cuts in cascade.edges.items()} == {
        "root": [Cut("child", "a")],
        "a": [Cut("child", "b")],
        "x": [Cut("cites", "b")],
    }


async def test_a_document_without_edges_goes_alone() -> None:
    assert await planner("x > y").edges("a") == Cascade.alone("a")
    assert await planner("x > y").children("a") == Cascade({}, {"a": []})


async def test_many_edges_are_read_page_by_page() -> None:
    lines = [f"s{number} cites a" for number in range(1_100)]

    assert len((await planner(*lines, count_max=1_100).edges("a")).edges) == 1_100


@pytest.mark.parametrize("takes", ["edges", "children"])
async def test_more_edges_than_the_limit_are_refused_naming_it(takes: str) -> None:
    plan = planner("x cites a", "y cites a", "z cites a", count_max=2)
    with pytest.raises(TooLargeError, match="edges") as caught:
        await getattr(plan, takes)("a")
    assert caught.value.facts["limit"] == 2
