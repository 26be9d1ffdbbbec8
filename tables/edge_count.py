"""How many edges of each type there are, kept by branch and partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct

from docreactor.tables.store import AnyRow, Row, Store

_SPACE = b"n/"
_SPACE_END = b"n0"
_CUT = b"\0"
_AFTER_CUT = b"\1"
_COUNT = Struct(">q")


Counted = tuple[bytes, bytes]
"""A branch and a type."""


class EdgeCount:
    """The counts of a graph table. What is counted no more has no row."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def by_type(self, branch: str) -> dict[str, int]:
        """How many edges of each type a branch has, in the order of types."""
        counts: dict[str, int] = {}
        start = b"%b%b\0" % (_SPACE, branch.encode())
        for key, value in self._store.scan(start, start[:-1] + _AFTER_CUT):
            edge_type = key[len(start) :].split(_CUT)[0].decode()
            counts[edge_type] = counts.get(edge_type, 0) + _COUNT.unpack(value)[0]
        return counts

    def rows(self, partition: int, differences: Mapping[Counted, int]) -> list[AnyRow]:
        """What counting so many more, or fewer, in a partition writes."""
        moved = [(_key(*one, partition), by) for one, by in differences.items() if by]
        stored = self._store.get_many([key for key, _ in moved])
        rows: list[AnyRow] = []
        for (key, by), value in zip(moved, stored, strict=True):
            count = by if value is None else by + _COUNT.unpack(value)[0]
            rows.append((key, _COUNT.pack(count) if count else None))
        return rows

    def forgetting(self, partition: int) -> Iterator[Row]:
        """What removes all that was counted in a partition."""
        for key in self._store.keys(_SPACE, _SPACE_END):
            if int(key.split(_CUT)[-1]) == partition:
                yield Row(key, None)


def _key(branch: bytes, edge_type: bytes, partition: int) -> bytes:
    return b"%b%b\0%b\0%04d" % (_SPACE, branch, edge_type, partition)
