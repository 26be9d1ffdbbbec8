"""A graph of documents is gone through from any of them, once for each, circles or not."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.graph import DocumentGraph, GraphEdge, Strategy


def graph_of(*pairs: str, alone: str = "") -> DocumentGraph:
    """A graph of edges that are written as two letters, and of documents without any."""
    nodes = dict.fromkeys("".join(pairs) + alone)
    return DocumentGraph(
        tuple(nodes), tuple(GraphEdge(pair[0], pair[1], "child") for pair in pairs)
    )


TREE = graph_of("ab", "ac", "bd", "be", "cf")
CIRCLE = graph_of("ab", "bc", "ca", "cd")
STRATEGIES: tuple[Strategy, ...] = ("breadth-first", "depth-first")


def test_it_lists_all_documents_and_those_that_no_edge_leads_to() -> None:
    graph = graph_of("ab", "cb", alone="z")

    assert graph.all == ["a", "b", "c", "z"]
    assert graph.roots == ["a", "c", "z"]
    assert CIRCLE.roots == []


def test_breadth_first_the_nearer_ones_come_first() -> None:
    assert TREE.traverse("a", "breadth-first") == ["a", "b", "c", "d", "e", "f"]
    assert TREE.traverse("a") == TREE.traverse("a", "breadth-first")


def test_depth_first_a_document_comes_before_its_targets() -> None:
    assert TREE.traverse("a", "depth-first") == ["a", "b", "d", "e", "c", "f"]


def test_a_visitor_meets_each_document_in_that_order() -> None:
    for strategy in STRATEGIES:
        met: list[str] = []
        assert TREE.traverse("a", strategy, met.append) == met
        assert len(met) == 6


def test_what_a_visitor_raises_ends_the_visit() -> None:
    met: list[str] = []

    def visitor(document_id: str) -> None:
        met.append(document_id)
        if document_id == "c":
            raise LookupError(document_id)

    with pytest.raises(LookupError):
        TREE.traverse("a", "breadth-first", visitor)
    assert met == ["a", "b", "c"]


def test_circles_end_and_what_is_not_reached_is_not_met() -> None:
    assert CIRCLE.traverse("b", "breadth-first") == ["b", "c", "a", "d"]
    assert CIRCLE.traverse("b", "depth-first") == ["b", "c", "a", "d"]
    assert CIRCLE.traverse("d") == ["d"]


def test_several_edges_between_two_documents_are_one_way() -> None:
    graph = DocumentGraph(("a", "b"), (GraphEdge("a", "b", "child"), GraphEdge("a", "b", "cites")))

    assert graph.traverse("a") == ["a", "b"]
    assert graph.aggregate(lambda count, _, __: count + 1, 0) == 2


def test_a_value_is_made_of_each_document_and_the_one_that_led_to_it() -> None:
    told = TREE.aggregate(
        lambda lines, document_id, parent_id: [*lines, (document_id, parent_id)],
        list[tuple[str, str | None]](),
    )

    assert told == [("a", None), ("b", "a"), ("d", "b"), ("e", "b"), ("c", "a"), ("f", "c")]


def test_a_value_begins_at_the_first_root_or_at_the_one_that_is_named() -> None:
    def joined(text: str, document_id: str, _: str | None) -> str:
        return text + document_id

    graph = graph_of("ba", "cd", alone="z")
    assert graph.aggregate(joined, "") == "ba"
    assert graph.aggregate(joined, "", "c") == "cd"
    assert CIRCLE.aggregate(joined, "") == "abcd"
    assert DocumentGraph((), ()).aggregate(joined, "nothing") == "nothing"


@pytest.mark.parametrize("start", ["x", ""])
def test_a_start_that_is_not_in_the_graph_is_refused_by_name(start: str) -> None:
    with pytest.raises(InvalidInputError, match="not a document of this graph"):
        TREE.traverse(start)
    with pytest.raises(InvalidInputError, match="not a document of this graph"):
        TREE.aggregate(lambda value, _, __: value, 0, start)


def test_an_unknown_strategy_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="strategy"):
        TREE.traverse("a", cast(Strategy, "sideways"))


def test_its_json_is_that_of_http_and_gives_it_back() -> None:
    assert graph_of("ab").json == {
        "nodes": ["a", "b"],
        "edges": [{"from": "a", "to": "b", "type": "child"}],
    }
    assert DocumentGraph.read(CIRCLE.json) == CIRCLE


@given(
    pairs=st.lists(st.text("abcdefg", min_size=2, max_size=2), max_size=20),
    start=st.sampled_from("abcdefg"),
)
def test_each_document_is_met_once_if_a_way_leads_there(pairs: list[str], start: str) -> None:
    graph = graph_of(*pairs, alone="abcdefg")
    reached = {start}
    for _ in pairs:
        reached |= {pair[1] for pair in pairs if pair[0] in reached}

    for strategy in STRATEGIES:
        found = graph.traverse(start, strategy)
        assert len(found) == len(set(found))
        assert set(found) == reached
        assert found[0] == start
    hops = {start: 0}
    for document_id in graph.traverse(start):
        for pair in pairs:
            if pair[0] == document_id:
                hops.setdefault(pair[1], hops[document_id] + 1)
    order = [hops[one] for one in graph.traverse(start)]
    assert order == sorted(order)
