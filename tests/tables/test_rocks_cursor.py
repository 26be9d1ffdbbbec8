"""What reads a store on disk lets go of it when the store says so."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from docreactor.pipeline.errors import StoreClosedError
from docreactor.tables.rocks_cursor import RocksCursor, RocksReader


class Rows:
    """Keys in order, as RocksDB goes through them; at some key it can read no further."""

    def __init__(self, *keys: bytes, broken_at: bytes | None = None) -> None:
        self._keys = keys
        self._at = len(keys)
        self._broken_at = broken_at
        self.seeks = 0

    def seek(self, key: bytes) -> None:
        self.seeks += 1
        self._at = len([one for one in self._keys if one < key])

    def valid(self) -> bool:
        return self._at < len(self._keys) and self.key() != self._broken_at

    def key(self) -> bytes:
        return self._keys[self._at]

    def next(self) -> None:
        self._at += 1

    def status(self) -> None:
        if self._at < len(self._keys):
            raise OSError("a block is broken")


def test_a_few_keys_take_one_look() -> None:
    rows = Rows(b"a", b"b", b"c")

    assert list(RocksReader(rows, nullcontext()).keys(b"a", b"c")) == [b"a", b"b"]
    assert rows.seeks == 1


@pytest.mark.parametrize("count", [255, 256, 257, 1_000])
def test_many_keys_are_read_in_parts(count: int) -> None:
    keys = [b"%04d" % at for at in range(count)]

    assert list(RocksReader(Rows(*keys), nullcontext()).keys(b"", b"a")) == keys


def test_what_cannot_be_read_is_no_end() -> None:
    reader = RocksReader(Rows(b"a", b"b", b"c", broken_at=b"b"), nullcontext())

    with pytest.raises(OSError, match="broken"):
        list(reader.keys(b"a", b"z"))


def test_what_was_taken_away_says_that_its_store_is_closed() -> None:
    reader, cursor = RocksReader(Rows(b"a"), nullcontext()), RocksCursor(iter([b"a"]), None)
    unfinished = reader.keys(b"a", b"z")
    reader.end()
    cursor.end()

    with pytest.raises(StoreClosedError):
        next(unfinished)
    with pytest.raises(StoreClosedError):
        next(cursor.rows)
