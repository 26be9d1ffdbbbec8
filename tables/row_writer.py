"""What one batch does to a read model's rows: staged, and read before what is stored."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Protocol

from docreactor.pipeline.canonical import JSON, decode, encode
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.read_model import Effect
from docreactor.tables.rows import KEY_BYTES_MAX, SPACE, prefix_range
from docreactor.tables.store import Row


class Rows(Protocol):
    """What is read where nothing is staged: the table, or another writer."""

    def content(self, key: bytes) -> bytes | None: ...

    def pairs(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]: ...


class RowWriter:
    """The `Writer` of the platform. Dropped, it leaves no trace."""

    def __init__(self, below: Rows, *, muted: bool = False) -> None:
        self._below = below
        self._staged: dict[bytes, bytes | None] = {}
        self._order: list[bytes] = []
        self._is_ordered = True
        self.muted = muted
        self.effects: list[Effect] = []

    def get(self, key: str, default: JSON = None) -> JSON:
        content = self.content(_checked(key))
        return default if content is None else decode(content)

    def put(self, key: str, value: JSON) -> None:
        self._stage(_checked(key), encode(value))

    def delete(self, key: str) -> None:
        self._stage(_checked(key), None)

    def scan(self, prefix: str = "") -> Iterator[tuple[str, JSON]]:
        pairs = self.pairs(*prefix_range(prefix))
        return ((key.decode(), decode(content)) for key, content in pairs)

    def effect(self, effect: Effect) -> None:
        if not self.muted:
            self.effects.append(effect)

    def content(self, key: bytes) -> bytes | None:
        """As `RowsTable.content`."""
        if key in self._staged:
            return self._staged[key]
        return self._below.content(key)

    def pairs(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """As `RowsTable.pairs`. What is staged meanwhile may show or not."""
        below = self._below.pairs(start, end)
        order, at = self._ordered(), 0
        mine = order[bisect_left(order, start) : bisect_left(order, end)]
        for key, content in below:
            while at < len(mine) and mine[at] < key:
                yield from self._own(mine[at])
                at += 1
            if at < len(mine) and mine[at] == key:
                continue
            if key not in self._staged:
                yield key, content
        for key in mine[at:]:
            yield from self._own(key)

    def adopt(self, other: RowWriter) -> None:
        """Take over what a writer above this one staged."""
        for key, content in other._staged.items():
            self._stage(key, content)
        self.effects += other.effects

    @property
    def keys(self) -> list[bytes]:
        """The keys of the store whose rows are written or removed."""
        return [SPACE + key for key in self._staged]

    def rows(self) -> list[Row]:
        """Everything that is staged, as the store keeps it."""
        return [Row(SPACE + key, content) for key, content in self._staged.items()]

    def _own(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        content = self._staged[key]
        if content is not None:
            yield key, content

    def _stage(self, key: bytes, content: bytes | None) -> None:
        if key not in self._staged:
            self._is_ordered = self._is_ordered and (not self._order or self._order[-1] < key)
            self._order.append(key)
        self._staged[key] = content

    def _ordered(self) -> list[bytes]:
        if not self._is_ordered:
            self._order.sort()
            self._is_ordered = True
        return self._order


def _checked(key: str) -> bytes:
    """The key in UTF-8, or InvalidInput."""
    try:
        content = key.encode()
    except (AttributeError, UnicodeEncodeError) as cause:
        raise InvalidInputError("key", f"{key!r} is no text") from cause
    if not 0 < len(content) <= KEY_BYTES_MAX:
        raise InvalidInputError("key", f"{len(content)} bytes are not 1 to {KEY_BYTES_MAX}")
    return content
