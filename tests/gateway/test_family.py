"""Which documents have no parent but those that go."""

from __future__ import annotations

import pytest

from docreactor.gateway.family import Family, deepest_first
from docreactor.pipeline.errors import TooLargeError
from tests.support.graphs import BRANCH, graph_of


async def going(document_id: str, *lines: str, count_max: int = 100) -> list[str]:
    """Who goes with a document, in the order of the deletions."""
    family = Family(graph_of(*lines), BRANCH, count_max=count_max)
    return list(deepest_first(document_id, await family.of(document_id)))


async def test_children_go_and_theirs_and_deeper_ones_first() -> None:
    order = await going("a", "a > b c", "b > d e", "d > f", "x > y")

    assert sorted(order) == ["a", "b", "c", "d", "e", "f"]
    for child, parent in ("fd", "db", "eb", "ba", "ca"):
        assert order.index(child) < order.index(parent)


async def test_a_child_that_another_document_holds_stays_and_what_is_below_it() -> None:
    assert await going("a", "a > b c", "x > b", "b > d") == ["c", "a"]


async def test_a_child_with_several_parents_goes_when_all_of_them_do() -> None:
    lines = ("a > b c", "b > d", "c > d", "d > e", "a > e")
    order = await going("a", *lines)

    assert order.index("e") < order.index("d") < min(order.index("b"), order.index("c"))
    assert order[-1] == "a"
    assert sorted(await going("b", *lines)) == ["b"]


async def test_who_holds_a_child_may_turn_out_to_go_later() -> None:
    # z is looked at before anybody knows that its other parents go.
    chain = ["a > z b", "b > c", "c > d", "d > z", "c > z"]
    assert sorted(await going("a", *chain)) == ["a", "b", "c", "d", "z"]


async def test_only_edges_of_type_child_count() -> None:
    assert await going("a", "a cites b", "x cites c", "a > c") == ["c", "a"]


async def test_a_circle_ends_and_what_it_holds_by_itself_stays() -> None:
    assert sorted(await going("a", "a > b", "b > a")) == ["a", "b"]
    # b is held by c, and c by b: neither is without a parent that stays.
    assert await going("a", "a > b", "b > c", "c > b") == ["a"]


async def test_many_parents_are_read_page_by_page() -> None:
    parents = [f"p{number:04}" for number in range(1_200)]
    lines = [f"a > {' '.join(parents)}", *(f"{one} > z" for one in parents)]

    assert len(await going("a", *lines, count_max=2_000)) == 1_202
    assert "z" not in await going("a", *lines, "other > z", count_max=2_000)


async def test_more_than_the_limit_is_refused_naming_it() -> None:
    lines = [f"d{number} > d{number + 1}" for number in range(5)]
    assert len(await going("d0", *lines, count_max=6)) == 6
    with pytest.raises(TooLargeError, match="documents") as caught:
        await going("d0", *lines, count_max=5)
    assert caught.value.facts["limit"] == 5
    with pytest.raises(TooLargeError, match="children"):
        await going("a", "a > b c d", "x > b c d", count_max=2)
