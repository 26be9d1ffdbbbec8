"""Where the edges of a graph lie in a store: by their ends, and by time in both directions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import Enum
from heapq import merge
from typing import NamedTuple

from docreactor.pipeline.edge import EdgeKey
from docreactor.pipeline.keys import partition_for
from docreactor.tables.remains import Range
from docreactor.tables.store import Reader, Store

_SEPARATOR = "\0"
"""Below every character of a name, so that keys stand in the order of their parts."""
_CUT = b"\0"
_AFTER_CUT = b"\1"
_EDGE = b"e/"
_PARTITION_DIGITS = 4


class Direction(Enum):
    """Which of a document's edges: those from it, or those to it."""

    OUT = "out"
    IN = "in"


# By time in two ways: those of all types in one row, and those of each type in a row of its own.
_BY_TIME = {Direction.OUT: b"o/", Direction.IN: b"i/"}
_BY_TYPE = {Direction.OUT: b"p/", Direction.IN: b"j/"}
_SPACES = [of[direction] for direction in Direction for of in (_BY_TIME, _BY_TYPE)]


class EdgePlace(NamedTuple):
    """Where an edge stands among those of one document: by time, other end and type."""

    created_at: str
    other_id: str
    type: str


class EdgeIndex:
    """Finds the edges of a graph table without reading what they carry."""

    def __init__(self, store: Store, *, partition_count: int) -> None:
        self.store = store
        self._partition_count = partition_count

    def row_key(self, key: EdgeKey) -> bytes:
        """Where an edge itself lies."""
        return edge_row_key(partition_for(key.source_id, self._partition_count), key.encode())

    def between(self, source_id: str, target_id: str, branch: str) -> Iterator[bytes]:
        """The edges of all types from one document to another, in the order of types."""
        partition = partition_for(source_id, self._partition_count)
        start = _start(_of_partition(partition), source_id, branch, target_id)
        for _, content in self.store.scan(start, _end(start)):
            yield content

    def places(
        self,
        document_id: str,
        types: Collection[str],
        branch: str,
        direction: Direction,
        after: EdgePlace | None,
        *,
        has_it: bool = False,
    ) -> Iterator[EdgePlace]:
        """The edges of a document after a place, or from it on, in order.

        Those of any type where no types are given.
        """
        if not types:
            return self._places(document_id, branch, direction, after, has_it)
        of_each = [
            self._places_of_type(document_id, one, branch, direction, after, has_it)
            for one in sorted(set(types))
        ]
        return of_each[0] if len(of_each) == 1 else merge(*of_each)

    def neighbours(
        self,
        reader: Reader,
        document_id: bytes,
        types: Collection[str],
        branch: str,
        direction: Direction,
    ) -> Iterator[tuple[bytes, bytes]]:
        """The other end and the type of each edge of a document, by a reader of the store.

        In the order of places; where types are given, in that of the types first.
        """
        if not types:
            start = b"%b%b\0%b\0" % (_BY_TIME[direction], document_id, branch.encode())
            length = len(start)
            for key in reader.keys(start, start[:-1] + _AFTER_CUT):
                _, other, edge_type = key[length:].split(_CUT)
                yield other, edge_type
            return
        for one in types:
            edge_type = one.encode()
            start = b"%b%b\0%b\0" % (_BY_TYPE[direction], document_id, branch.encode())
            start += edge_type + _CUT
            for key in reader.keys(start, start[:-1] + _AFTER_CUT):
                yield key[key.rindex(_CUT) + 1 :], edge_type

    def _places(
        self,
        document_id: str,
        branch: str,
        direction: Direction,
        after: EdgePlace | None,
        has_it: bool,
    ) -> Iterator[EdgePlace]:
        start = _start(_BY_TIME[direction], document_id, branch)
        end, length = _end(start), len(start)
        if after is not None:
            start += _SEPARATOR.join(after).encode() + (b"" if has_it else _CUT)
        for key in self.store.keys(start, end):
            yield EdgePlace(*key[length:].decode().split(_SEPARATOR))

    def _places_of_type(
        self,
        document_id: str,
        edge_type: str,
        branch: str,
        direction: Direction,
        after: EdgePlace | None,
        has_it: bool,
    ) -> Iterator[EdgePlace]:
        start = _start(_BY_TYPE[direction], document_id, branch, edge_type)
        end, length = _end(start), len(start)
        if after is not None:
            start += _SEPARATOR.join(after[:2]).encode()
            # Of the same time and other end, later types are still to come.
            is_to_come = edge_type > after.type or (has_it and edge_type == after.type)
            start += b"" if is_to_come else _CUT
        for key in self.store.keys(start, end):
            created_at, other_id = key[length:].decode().split(_SEPARATOR)
            yield EdgePlace(created_at, other_id, edge_type)


def edge_row_key(partition: int, key: bytes) -> bytes:
    """Where the edge of a record's key itself lies, its partition first."""
    source, branch, edge_type, target = key.split(b"/")
    return b"%b%04d/%b\0%b\0%b\0%b" % (_EDGE, partition, source, branch, target, edge_type)


def read_edge_row_key(key: bytes) -> bytes:
    """The inverse of `edge_row_key`, but for the partition."""
    source, branch, target, edge_type = key[len(_EDGE) + _PARTITION_DIGITS + 1 :].split(_CUT)
    return b"%b/%b/%b/%b" % (source, branch, edge_type, target)


def partition_range(partition: int) -> Range:
    """Where all the edges of a partition lie."""
    start = _of_partition(partition)
    return start, start[:-1] + b"0"


def source_ranges(partition: int, source_id: str) -> list[Range]:
    """Where the edges from a document lie themselves, and then what finds them from there."""
    spaces = (_of_partition(partition), _BY_TIME[Direction.OUT], _BY_TYPE[Direction.OUT])
    starts = [_start(space, source_id) for space in spaces]
    return [(start, _end(start)) for start in starts]


def index_keys(key: bytes, created_at: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The rows that find the edge of a record's key: two from its source, two from its target."""
    source, branch, edge_type, target = key.split(b"/")
    out, out_of_type, into, into_of_type = _SPACES
    return (
        b"%b%b\0%b\0%b\0%b\0%b" % (out, source, branch, created_at, target, edge_type),
        b"%b%b\0%b\0%b\0%b\0%b" % (out_of_type, source, branch, edge_type, created_at, target),
        b"%b%b\0%b\0%b\0%b\0%b" % (into, target, branch, created_at, source, edge_type),
        b"%b%b\0%b\0%b\0%b\0%b" % (into_of_type, target, branch, edge_type, created_at, source),
    )


def _of_partition(partition: int) -> bytes:
    return b"%b%04d/" % (_EDGE, partition)


def _start(space: bytes, *parts: str) -> bytes:
    return space + "".join([part + _SEPARATOR for part in parts]).encode()


def _end(start: bytes) -> bytes:
    """Where the keys that begin so, up to a separator, end."""
    return start[:-1] + _AFTER_CUT
