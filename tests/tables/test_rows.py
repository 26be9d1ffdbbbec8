"""The rows that a user's read model keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.position import Offset
from docreactor.tables.memory import MemoryStore
from docreactor.tables.row_writer import RowWriter
from docreactor.tables.rows import Aside, RowsTable
from docreactor.tables.store import AnyRow

PROBLEM: dict[str, Any] = {"title": "ReadModelFailed"}


def _table(values: Mapping[str, Any], *more: AnyRow) -> RowsTable:
    table = RowsTable(MemoryStore())
    writer = RowWriter(table)
    for key, value in values.items():
        writer.put(key, value)
    table.store.write([*writer.rows(), *more], {"t": Offset(7)}, now_ms=1)
    return table


def _page(table: RowsTable, prefix: str = "", **place: Any) -> list[tuple[str, Any]]:
    found = table.page(prefix, **{"limit": 100, **place})
    return [(key, decode(content)) for key, content in found]


def test_a_row_is_found_by_its_key() -> None:
    table = _table({"a": {"n": 1}, "é/ü": [2]})
    assert table.get("a") == encode({"n": 1})
    assert decode(table.get("é/ü") or b"") == [2]
    assert table.get("b") is None


@pytest.mark.parametrize("key", ["", "a" * 1_001, "\ud800"])
def test_what_can_be_no_key_is_not_there(key: str) -> None:
    assert _table({"a": 1}).get(key) is None


def test_a_page_holds_the_rows_of_a_prefix_in_the_order_of_code_points() -> None:
    table = _table({"b": 1, "a": 2, "a/é": 3, "a/z": 4, "ab": 5, "🦊": 6, "～": 7})
    assert _page(table, "a") == [("a", 2), ("a/z", 4), ("a/é", 3), ("ab", 5)]
    assert [key for key, _ in _page(table)] == ["a", "a/z", "a/é", "ab", "b", "～", "🦊"]
    assert _page(table, "c") == []


def test_a_page_begins_where_it_is_told_to_and_ends_when_it_is_full() -> None:
    table = _table({key: 0 for key in ("a", "b", "b!", "c", "d")})
    assert [key for key, _ in _page(table, limit=2)] == ["a", "b"]
    assert [key for key, _ in _page(table, after="b")] == ["b!", "c", "d"]
    assert [key for key, _ in _page(table, at_least="b", limit=2)] == ["b", "b!"]
    assert [key for key, _ in _page(table, "c", after="b")] == ["c"]
    assert _page(table, "a", after="b") == []


def test_rows_of_other_kinds_are_never_among_them() -> None:
    table = RowsTable(MemoryStore())
    others = [Aside(PROBLEM).row("d1"), table.new_below_row(Offset(9)), table.remains.row("d1", [])]
    table = _table({"a": 1}, *others)
    assert _page(table) == [("a", 1)]


def test_who_is_set_aside_is_known_with_the_reason() -> None:
    table = _table({}, Aside(PROBLEM, 3).row("d2"), Aside(PROBLEM).row("d1"))
    assert table.has_asides()
    assert table.aside("d2") == Aside(PROBLEM, 3, 0)
    assert table.aside("d3") is None
    assert list(table.quarantined()) == [("d1", Aside(PROBLEM)), ("d2", Aside(PROBLEM, 3))]


def test_who_was_retried_is_set_aside_no_more() -> None:
    table = _table({}, Aside(None, applied_below=12).row("d1"))
    assert table.aside("d1") == Aside(None, 0, 12)
    assert list(table.quarantined()) == []


def test_who_is_taken_back_leaves_no_trace() -> None:
    table = _table({}, Aside(PROBLEM).row("d1"))
    table.store.write([Aside.none("d1")], {}, now_ms=2)
    assert not table.has_asides()
    assert table.aside("d1") is None


def test_what_was_there_before_the_rows_is_remembered() -> None:
    table = _table({})
    assert table.new_below == 0
    table.store.write([table.new_below_row(Offset(41))], {}, now_ms=2)
    assert table.new_below == 41
