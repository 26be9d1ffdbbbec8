"""The shapes of what is asked about relationships, and of what is answered."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from docreactor.gateway.edges import Ancestors, Edge, EdgesQuery, OrphansQuery, PairQuery
from docreactor.pipeline.edge import Edge as StoredEdge

STORED = StoredEdge(
    source_id="a",
    branch="main",
    type="cites",
    target_id="b",
    metadata={"page": 1},
    created_at="2024-01-01T00:00:00.000000Z",
    updated_at="2024-01-01T00:00:01.000000Z",
)


@pytest.mark.parametrize("known", [{}, {"weight": 0.5}])
def test_an_edge_is_read_as_it_is_stored(known: dict[str, Any]) -> None:
    stored = StoredEdge.decode(STORED.encode())
    answered = stored.json | known
    edge = Edge.model_validate(answered)

    assert edge.weight == known.get("weight")
    assert edge.model_dump() == {"weight": None} | answered


def test_links_are_named_from_and_to_over_http_alone() -> None:
    content = {"nodes": ["b", "a"], "edges": [{"from": "a", "to": "b", "type": "child"}]}
    found = Ancestors.model_validate(content)

    assert (found.edges[0].from_, found.edges[0].to) == ("a", "b")
    assert found.model_dump(mode="json") == content


def test_several_values_are_separated_by_commas_or_repeated() -> None:
    query = OrphansQuery.model_validate({"parents": ["a,b", "c"], "type": ["x"]})
    assert (query.parents, query.type) == (["a", "b", "c"], ["x"])
    assert PairQuery(source="a", target="b").type == []


def test_edges_are_those_from_a_document_unless_told_otherwise() -> None:
    query = EdgesQuery.model_validate({"with": "b"})
    assert (query.direction, query.with_, query.limit) == ("out", "b", 100)
    with pytest.raises(ValidationError):
        EdgesQuery.model_validate({"direction": "up"})
