"""What records of one partition of `relationships` make of a graph table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from docreactor.pipeline.edge import POSITION_KEY, Edge, EdgeKey, parse_edge_key
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.keys import partition_for
from docreactor.tables.edge_count import Counted, EdgeCount
from docreactor.tables.edge_index import (
    edge_row_key,
    index_keys,
    partition_range,
    read_edge_row_key,
    source_ranges,
)
from docreactor.tables.remains import Range, Remains
from docreactor.tables.store import AnyRow, Row, Store

_MARK = b"f/"
_MARK_END = b"f0"


class GraphBatch:
    """The rows of a batch: those of every edge, of what finds it, and of the counts.

    They are written before the next batch of the same partition is made.
    """

    def __init__(self, store: Store, partition: int, *, partition_count: int) -> None:
        self._store = store
        self._partition = partition
        self._partition_count = partition_count
        self._edges: dict[EdgeKey, tuple[Edge, bytes] | None] = {}
        self._erased: dict[str, None] = {}

    def add(self, key: bytes, value: bytes | None) -> None:
        """Take one record, after all those before it. UndecodableRecord for one of no edge.

        One with the key of an erased document's leaves nothing of the edges from it.
        """
        if key == POSITION_KEY:
            return
        erased = erased_document(key)
        if erased is not None:
            self._erase(erased)
            return
        name = _name(key)
        if partition_for(name.source_id, self._partition_count) != self._partition:
            raise UndecodableRecordError(f"{key!r}: belongs to another partition")
        if value is None:
            self._edges[name] = None
            return
        edge = Edge.decode(value)
        if edge.name != name:
            raise UndecodableRecordError(f"{key!r}: holds {edge.key!r}")
        self._edges[name] = edge, value

    def rows(self) -> list[AnyRow]:
        """Everything that the batch writes."""
        rows: list[AnyRow] = []
        counts: Counter[Counted] = Counter()
        remains: dict[str, list[Range]] = {one: self._ranges(one) for one in self._erased}
        keys = [edge_row_key(self._partition, name) for name in self._edges]
        stored = self._store.get_many(keys)
        for (name, after), key, before in zip(self._edges.items(), keys, stored, strict=True):
            old = () if before is None else index_keys(name, Edge.decode(before).created_at)
            new = () if after is None else index_keys(name, after[0].created_at)
            if old != new:
                rows += [(one, None) for one in old]
                rows += [(one, b"") for one in new]
            if name.source_id in remains:
                remains[name.source_id] += [(one, one + b"\0") for one in old]
            counts[Counted(name.branch, name.type, self._partition)] += bool(new) - bool(old)
            rows.append((key, None if after is None else after[1]))
        for document_id, ranges in remains.items():
            rows.append(Remains(self._store).row(document_id, ranges))
        return rows + EdgeCount(self._store).rows(counts)

    def _erase(self, document_id: str) -> None:
        self._erased[document_id] = None
        for name in [one for one in self._edges if one.source_id == document_id]:
            self._edges[name] = None
        for key in self._store.keys(*self._ranges(document_id)[0]):
            self._edges[read_edge_row_key(key)] = None

    def _ranges(self, document_id: str) -> list[Range]:
        return source_ranges(self._partition, document_id)


def forgetting(store: Store, partition: int) -> Iterator[Row]:
    """What removes all rows of a partition: a mark first, which the last one takes away."""
    yield Row(_mark(partition), b"")
    for key, value in store.scan(*partition_range(partition)):
        for one in index_keys(read_edge_row_key(key), Edge.decode(value).created_at):
            yield Row(one, None)
        yield Row(key, None)
    yield from EdgeCount(store).forgetting(partition)
    yield Row(_mark(partition), None)


def half_forgotten(store: Store) -> list[int]:
    """The partitions of which the removal was begun and never ended."""
    return [int(key[len(_MARK) :]) for key in store.keys(_MARK, _MARK_END)]


def _mark(partition: int) -> bytes:
    return b"%b%04d" % (_MARK, partition)


def _name(key: bytes) -> EdgeKey:
    try:
        return parse_edge_key(key)
    except ValueError as cause:
        raise UndecodableRecordError(str(cause)) from cause
