"""Running iterators of a store on disk, which the store can take away when it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from docreactor.pipeline.errors import StoreClosedError

_AT_ONCE = 256
_FIRST = b"\0"
"""The least key of a caller: under the empty one lies what the store says of itself."""


class RocksCursor:
    """An iterator over one range.

    It holds the options: they own the bytes of the bound, and the iterator does not keep them.
    """

    __slots__ = ("__weakref__", "_options", "rows")

    def __init__(self, rows: Iterator[Any], options: object) -> None:
        self.rows = rows
        self._options = options

    def end(self) -> None:
        """Let go of it: whoever goes on reading learns that the store is closed."""
        self.rows = _closed()


class Seeking(Protocol):
    """An iterator of RocksDB that stands at some row, or beyond the last."""

    def seek(self, key: bytes) -> None: ...

    def valid(self) -> bool: ...

    def key(self) -> bytes: ...

    def next(self) -> None: ...

    def status(self) -> None: ...


class RocksReader:
    """A `Reader` of the rows as they were when it was made.

    To make an iterator costs more than to find a key with it.
    """

    def __init__(self, rows: Seeking, told: AbstractContextManager[None]) -> None:
        self._rows: Seeking | None = rows
        self._told = told

    def keys(self, start: bytes, end: bytes) -> Iterator[bytes]:
        """As `Store.keys`."""
        while True:
            some = self._some(start, end)
            yield from some
            if len(some) < _AT_ONCE:
                return
            start = some[-1] + b"\0"

    def end(self) -> None:
        """As `RocksCursor.end`."""
        self._rows = None

    def _some(self, start: bytes, end: bytes) -> list[bytes]:
        rows, found = self._rows, list[bytes]()
        if rows is None:
            raise _closed_error()
        with self._told:
            rows.seek(start or _FIRST)
            while rows.valid():
                key = rows.key()
                if key >= end:
                    return found
                found.append(key)
                if len(found) == _AT_ONCE:
                    return found
                rows.next()
            # It stands nowhere beyond the last row, and also where it could not read on.
            rows.status()
        return found


def _closed() -> Iterator[Any]:
    yield from ()
    raise _closed_error()


def _closed_error() -> StoreClosedError:
    return StoreClosedError("the store that is read is closed")
