"""Edges are counted by type, branch and partition."""

from __future__ import annotations

from docreactor.tables.edge_count import EdgeCount
from docreactor.tables.memory import MemoryStore
from tests.tables.contract import rows_of


def test_counts_of_all_partitions_add_up_in_the_order_of_types() -> None:
    store = MemoryStore()
    count = EdgeCount(store)
    store.write(count.rows(0, {(b"main", b"cites"): 2, (b"main", b"child"): 1}), {}, now_ms=1)
    store.write(count.rows(1, {(b"main", b"cites"): 3, (b"main-2", b"child"): 7}), {}, now_ms=1)
    store.write(count.rows(0, {(b"main", b"cites"): -1, (b"main", b"child"): 0}), {}, now_ms=1)

    assert list(count.by_type("main").items()) == [("child", 1), ("cites", 4)]
    assert count.by_type("main-2") == {"child": 7}
    assert count.by_type("mai") == {}


def test_what_is_counted_no_more_has_no_row() -> None:
    store = MemoryStore()
    count = EdgeCount(store)
    store.write(count.rows(0, {(b"main", b"child"): 2}), {}, now_ms=1)
    store.write(count.rows(0, {(b"main", b"child"): -2}), {}, now_ms=1)

    assert rows_of(store) == []
    assert count.rows(0, {(b"main", b"child"): 0}) == []


def test_a_partition_is_forgotten_by_itself() -> None:
    store = MemoryStore()
    count = EdgeCount(store)
    for partition in (1, 11):
        rows = count.rows(partition, {(b"main", b"child"): partition, (b"b", b"cites"): 1})
        store.write(rows, {}, now_ms=1)
    store.write(list(count.forgetting(1)), {}, now_ms=1)

    assert count.by_type("main") == {"child": 11}
    assert count.by_type("b") == {"cites": 1}
