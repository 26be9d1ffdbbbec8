"""A store that lives as long as its process."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence

from docreactor.pipeline.errors import StoreClosedError
from docreactor.pipeline.position import Offset
from docreactor.tables.store import AnyRow, Reader, StoreIdentity

_FEW = 64
"""So many new keys are put in their places one by one; more are sorted in together."""


class MemoryStore:
    """A `Store` in memory: what a worker without a disk and a test use."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}
        self._order: list[bytes] = []
        self._unordered: list[bytes] = []
        self._positions: dict[str, Offset] = {}
        self._identity: StoreIdentity | None = None
        self._written_ms: int | None = None
        self._closed = False

    @property
    def identity(self) -> StoreIdentity | None:
        self._check_open()
        return self._identity

    @property
    def written_ms(self) -> int | None:
        self._check_open()
        return self._written_ms

    def begin(self, identity: StoreIdentity) -> None:
        self._check_open()
        self._rows, self._order, self._unordered = {}, [], []
        self._positions = {}
        self._identity, self._written_ms = identity, None

    def positions(self) -> Mapping[str, Offset]:
        self._check_open()
        return dict(self._positions)

    def get(self, key: bytes) -> bytes | None:
        self._check_open()
        return self._rows.get(key)

    def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        self._check_open()
        return [self._rows.get(key) for key in keys]

    def scan(
        self, start: bytes, end: bytes, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        return self._pairs(self.keys(start, end, reverse=reverse))

    def keys(self, start: bytes, end: bytes, *, reverse: bool = False) -> Iterator[bytes]:
        self._check_open()
        order = self._ordered()
        first, last = bisect_left(order, start), bisect_left(order, end)
        keys = order[first:last]
        if reverse:
            keys.reverse()
        return self._while_open(keys)

    def reader(self) -> Reader:
        return self

    def write(
        self,
        rows: Sequence[AnyRow],
        positions: Mapping[str, Offset],
        *,
        now_ms: int,
        is_logged: bool = True,
    ) -> None:
        self._check_open()
        for key, value in rows:
            if value is None:
                self._remove(key)
            else:
                if key not in self._rows:
                    self._unordered.append(key)
                self._rows[key] = value
        self._positions |= positions
        self._written_ms = now_ms

    def flush(self) -> None:
        self._check_open()

    def compact(self, start: bytes, end: bytes) -> None:
        self._check_open()

    def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError("the store in memory is closed")

    def _while_open(self, keys: list[bytes]) -> Iterator[bytes]:
        for key in keys:
            self._check_open()
            yield key

    def _pairs(self, keys: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for key in keys:
            value = self._rows.get(key)
            if value is not None:
                yield key, value

    def _ordered(self) -> list[bytes]:
        if len(self._unordered) < _FEW:
            for key in self._unordered:
                insort(self._order, key)
        else:
            self._order += self._unordered
            self._order.sort()
        self._unordered = []
        return self._order

    def _remove(self, key: bytes) -> None:
        if self._rows.pop(key, None) is not None:
            order = self._ordered()
            del order[bisect_left(order, key)]
