"""What every key-value store of keyframes owes: tests that each implementation inherits."""

from __future__ import annotations

from docreactor.tables.keyframes import KeyValueStore


class KeyValueContract:
    """Inherit it in a test class whose `setup_method` gives `values` an empty store, stopped."""

    values: KeyValueStore

    def test_a_value_is_there_until_it_is_deleted(self) -> None:
        values = self._started()
        values.put(b"k", b"1")
        values.put(b"k", b"2")
        assert values.get(b"k") == b"2"

        values.delete(b"k")
        values.delete(b"never there")
        assert values.get(b"k") is None

    def test_a_missing_key_has_no_value(self) -> None:
        assert self._started().get(b"never there") is None

    def test_any_bytes_are_a_value(self) -> None:
        values = self._started()
        for value in (b"", b"\0", bytes(range(256)), b"x" * 1_000_000):
            values.put(b"k", value)
            assert values.get(b"k") == value

    def test_keys_descend_from_the_end_to_the_start(self) -> None:
        values = self._started()
        for key in (b"b", b"a", b"d", b"c", b"b/0000000009", b"b/0000000010"):
            values.put(key, key)
        values.delete(b"c")

        assert list(values.descend(b"a", b"d")) == [b"b/0000000010", b"b/0000000009", b"b", b"a"]
        assert list(values.descend(b"b/", b"b0")) == [b"b/0000000010", b"b/0000000009"]
        assert list(values.descend(b"d", b"e")) == [b"d"]
        assert list(values.descend(b"x", b"z")) == []

    def test_clearing_removes_everything(self) -> None:
        values = self._started()
        values.put(b"k", b"1")
        values.clear()

        assert values.get(b"k") is None
        assert list(values.descend(b"", b"z")) == []

    def test_starting_and_stopping_again_does_nothing_more(self) -> None:
        values = self._started()
        values.put(b"k", b"1")
        values.startup()
        assert values.get(b"k") == b"1"

        values.shutdown()
        values.shutdown()
        values.startup()
        values.put(b"l", b"2")
        assert values.get(b"l") == b"2"

    def _started(self) -> KeyValueStore:
        self.values.startup()
        return self.values
