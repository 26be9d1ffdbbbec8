"""A batch writes of each edge what is new, and no more."""

from __future__ import annotations

import pytest

from docreactor.pipeline.edge import POSITION_KEY, Edge
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.tables.graph_batch import GraphBatch, forgetting, half_forgotten
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import AnyRow
from tests.tables.contract import rows_of
from tests.tables.edge_oracle import PARTITIONS, edge, partition_of

PARTITION = partition_of("a")


def taken(store: MemoryStore, *pairs: tuple[bytes, bytes | None]) -> list[AnyRow]:
    """Write what records of one partition make."""
    batch = GraphBatch(store, PARTITION, partition_count=PARTITIONS)
    for pair in pairs:
        batch.add(*pair)
    rows = batch.rows()
    store.write(rows, {}, now_ms=1)
    return rows


def record(one: Edge) -> tuple[bytes, bytes]:
    return one.key, one.encode()


def test_a_new_edge_has_five_rows_and_is_counted() -> None:
    store = MemoryStore()

    assert len(taken(store, record(edge("a", "b")))) == 6
    assert len(rows_of(store)) == 6


def test_what_changes_in_an_edge_but_its_time_is_one_row() -> None:
    store = MemoryStore()
    taken(store, record(edge("a", "b")))

    assert len(taken(store, record(edge("a", "b", metadata={"page": 3})))) == 1
    assert taken(store, (POSITION_KEY, b'{"operations":9}')) == []


def test_an_edge_that_is_added_again_at_another_time_leaves_nothing_of_the_first() -> None:
    store, fresh = MemoryStore(), MemoryStore()
    taken(store, record(edge("a", "b", at=1)))
    taken(store, record(edge("a", "b", at=2)))
    taken(fresh, record(edge("a", "b", at=2)))

    assert rows_of(store) == rows_of(fresh)


def test_a_tombstone_leaves_nothing_and_one_of_nothing_changes_nothing() -> None:
    store = MemoryStore()
    taken(store, record(edge("a", "b")), (edge("a", "c").key, None))
    taken(store, (edge("a", "b").key, None), (edge("a", "b").key, None))

    assert rows_of(store) == []


def test_a_batch_that_refused_a_record_goes_on_with_the_others() -> None:
    store, fresh = MemoryStore(), MemoryStore()
    batch = GraphBatch(store, PARTITION, partition_count=PARTITIONS)
    batch.add(*record(edge("a", "b")))
    with pytest.raises(UndecodableRecordError):
        batch.add(edge("a", "b").key, b"{}")
    store.write(batch.rows(), {}, now_ms=1)
    taken(fresh, record(edge("a", "b")))

    assert rows_of(store) == rows_of(fresh)


def test_forgetting_is_marked_from_its_first_row_to_its_last() -> None:
    store = MemoryStore()
    taken(store, record(edge("a", "b")), record(edge("a", "c")))
    rows = list(forgetting(store, PARTITION))
    assert len(rows) == 13

    for row in rows[:-1]:
        store.write([row], {}, now_ms=1)
        assert half_forgotten(store) == [PARTITION]
    store.write(rows[-1:], {}, now_ms=1)
    assert half_forgotten(store) == []
    assert rows_of(store) == []
