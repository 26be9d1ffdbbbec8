"""The store in memory keeps the contract."""

from __future__ import annotations

import pytest

from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import Row, Store
from tests.tables.contract import StoreContract, rows_of


class TestMemoryStore(StoreContract):
    """`MemoryStore` is a store."""

    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()

    def test_keys_written_one_by_one_come_in_order(self, store: Store) -> None:
        for key in (b"c", b"a", b"b"):
            store.write([Row(key, key)], {}, now_ms=1)

        assert [key for key, _ in rows_of(store)] == [b"a", b"b", b"c"]

    def test_a_row_removed_during_a_scan_is_not_shown(self, store: Store) -> None:
        store.write([Row(b"a", b"1"), Row(b"b", b"2")], {}, now_ms=1)
        rows = store.scan(b"a", b"z")
        next(rows)
        store.write([Row(b"b", None)], {}, now_ms=2)

        assert list(rows) == []
