"""Edges lie in the order of their places, found from both ends, apart from all others."""

from __future__ import annotations

import pytest

from docreactor.pipeline.edge import Edge
from docreactor.tables.edge_index import (
    Direction,
    EdgeIndex,
    EdgePlace,
    edge_row_key,
    index_keys,
    partition_range,
    read_edge_row_key,
    source_ranges,
)
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import AnyRow
from tests.tables.edge_oracle import PARTITIONS, edge, moment, partition_of


def index_of(*edges: Edge) -> EdgeIndex:
    store = MemoryStore()
    for one in edges:
        rows: list[AnyRow] = [(key, b"") for key in index_keys(one.key, one.created_at.encode())]
        rows.append((edge_row_key(partition_of(one.source_id), one.key), one.encode()))
        store.write(rows, {}, now_ms=1)
    return EdgeIndex(store, partition_count=PARTITIONS)


EDGES = (
    edge("a", "b", "cites", at=2),
    edge("a", "b", "child", at=2),
    edge("a", "b-1", "child", at=2),
    edge("a", "z", "child", at=1),
    edge("a", "b", "child", at=0, branch="main-2"),
    edge("a-b", "b", "child", at=0),
    edge("z", "b", "child", at=3),
)
FROM_A = [
    EdgePlace(moment(1), "z", "child"),
    EdgePlace(moment(2), "b", "child"),
    EdgePlace(moment(2), "b", "cites"),
    EdgePlace(moment(2), "b-1", "child"),
]


def test_the_key_of_an_edges_row_gives_its_records_key_back() -> None:
    for one in EDGES:
        row_key = edge_row_key(7, one.key)
        assert read_edge_row_key(row_key) == one.key
        start, end = partition_range(7)
        assert start <= row_key < end
        assert not any(low <= row_key < high for low, high in map(partition_range, (6, 8, 77)))


def test_the_rows_of_a_source_lie_where_its_ranges_say() -> None:
    for one in EDGES:
        keys = [edge_row_key(1, one.key), *index_keys(one.key, one.created_at.encode())]
        inside = [
            any(start <= key < end for start, end in source_ranges(1, one.source_id))
            for key in keys
        ]
        assert inside == [True, True, True, False, False]
        assert not any(start <= key < end for key in keys for start, end in source_ranges(1, "a-"))


@pytest.mark.parametrize("types", [(), ("cites", "child"), ("child", "child", "cites", "likes")])
def test_places_are_ordered_by_time_then_other_end_then_type(types: tuple[str, ...]) -> None:
    index = index_of(*EDGES)

    assert list(index.places("a", types, "main", Direction.OUT, None)) == FROM_A
    for at, after in enumerate(FROM_A):
        found = list(index.places("a", types, "main", Direction.OUT, after))
        assert found == FROM_A[at + 1 :]
        found = list(index.places("a", types, "main", Direction.OUT, after, has_it=True))
        assert found == FROM_A[at:]


def test_places_of_one_type_go_on_after_a_place_of_another() -> None:
    index = index_of(*EDGES)
    children = [place for place in FROM_A if place.type == "child"]

    for after in FROM_A:
        found = list(index.places("a", ("child",), "main", Direction.OUT, after))
        assert found == [place for place in children if place > after]


def test_edges_to_a_document_are_found_as_those_from_it() -> None:
    index = index_of(*EDGES)

    found = list(index.places("b", (), "main", Direction.IN, None))
    assert found == sorted(
        EdgePlace(one.created_at, one.source_id, one.type)
        for one in EDGES
        if one.target_id == "b" and one.branch == "main"
    )


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("types", [(), ("child",), ("child", "cites")])
def test_neighbours_are_the_other_ends_of_a_documents_edges(
    direction: Direction, types: tuple[str, ...]
) -> None:
    index = index_of(*EDGES)
    for document_id in ("a", "a-", "a-b", "b", "z"):
        places = index.places(document_id, types, "main", direction, None)
        reader = index.store.reader()
        found = index.neighbours(reader, document_id.encode(), types, "main", direction)
        assert sorted(found) == sorted(
            (place.other_id.encode(), place.type.encode()) for place in places
        )


def test_what_is_between_two_documents_is_told_in_the_order_of_types() -> None:
    index = index_of(*EDGES)

    assert list(index.between("a", "b", "main")) == [EDGES[1].encode(), EDGES[0].encode()]
    assert list(index.between("a", "b", "main-2")) == [EDGES[4].encode()]
    assert list(index.between("b", "a", "main")) == []
    assert index.store.get(index.row_key(EDGES[0].name)) == EDGES[0].encode()
