"""How many edges of each type there are, kept by branch and partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import NamedTuple

from docreactor.tables.store import AnyRow, Row, Store

_SPACE = b"n/"
_SPACE_END = b"n0"
_CUT = "\0"
_AFTER_CUT = b"\1"
_COUNT = Struct(">q")


class Counted(NamedTuple):
    """What is counted by itself."""

    branch: str
    type: str
    partition: int


class EdgeCount:
    """The counts of a graph table. What is counted no more has no row."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def by_type(self, branch: str) -> dict[str, int]:
        """How many edges of each type a branch has, in the order of types."""
        counts: dict[str, int] = {}
        start = _SPACE + (branch + _CUT).encode()
        for key, value in self._store.scan(start, start[:-1] + _AFTER_CUT):
            edge_type = _read(key).type
            counts[edge_type] = counts.get(edge_type, 0) + _COUNT.unpack(value)[0]
        return counts

    def rows(self, differences: Mapping[Counted, int]) -> list[AnyRow]:
        """What counting so many more, or fewer, writes."""
        moved = [(_key(one), by) for one, by in differences.items() if by]
        stored = self._store.get_many([key for key, _ in moved])
        rows: list[AnyRow] = []
        for (key, by), value in zip(moved, stored, strict=True):
            count = by if value is None else by + _COUNT.unpack(value)[0]
            rows.append((key, _COUNT.pack(count) if count else None))
        return rows

    def forgetting(self, partition: int) -> Iterator[Row]:
        """What removes all that was counted of a partition."""
        for key in self._store.keys(_SPACE, _SPACE_END):
            if _read(key).partition == partition:
                yield Row(key, None)


def _key(counted: Counted) -> bytes:
    branch, edge_type, partition = counted
    return _SPACE + f"{branch}\0{edge_type}\0{partition:04d}".encode()


def _read(key: bytes) -> Counted:
    branch, edge_type, partition = key[len(_SPACE) :].decode().split(_CUT)
    return Counted(branch, edge_type, int(partition))
