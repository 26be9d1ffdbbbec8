"""What records of one partition of `relationships` make of a graph table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from docreactor.pipeline.edge import POSITION_KEY, Edge, parse_edge_key
from docreactor.pipeline.erased import erased_document, erased_key
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
from docreactor.tables.remains import Range, Remains, together
from docreactor.tables.store import AnyRow, Row, Store

_MARK = b"f/"
_MARK_END = b"f0"
_FROM_TARGET = 2
"""Of the rows that find an edge, those from this place on lie with its target."""
_FEW = 50
"""So many single rows are compacted one by one: more take far longer than all between them."""


class GraphBatch:
    """The rows of a batch: those of every edge, of what finds it, and of the counts.

    They are written before the next batch of the same partition is made.
    """

    def __init__(self, store: Store, partition: int, *, partition_count: int) -> None:
        self._store = store
        self._partition = partition
        self._partition_count = partition_count
        self._edges: dict[bytes, tuple[Edge, bytes] | None] = {}
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
        try:
            source_id = parse_edge_key(key).source_id
        except ValueError as cause:
            raise UndecodableRecordError(str(cause)) from cause
        if partition_for(source_id, self._partition_count) != self._partition:
            raise UndecodableRecordError(f"{key!r}: belongs to another partition")
        if value is None:
            self._edges[key] = None
            return
        edge = Edge.decode(value)
        if edge.key != key:
            raise UndecodableRecordError(f"{key!r}: holds {edge.key!r}")
        self._edges[key] = edge, value

    def rows(self) -> list[AnyRow]:
        """Everything that the batch writes."""
        rows: list[AnyRow] = []
        counts: Counter[Counted] = Counter()
        removed: dict[str, list[Range]] = {document_id: [] for document_id in self._erased}
        keys = [edge_row_key(self._partition, key) for key in self._edges]
        stored = self._store.get_many(keys)
        for (key, after), row_key, before in zip(self._edges.items(), keys, stored, strict=True):
            old = () if before is None else _index_keys(key, Edge.decode(before))
            new = () if after is None else _index_keys(key, after[0])
            if old != new:
                rows += [(one, None) for one in old]
                rows += [(one, b"") for one in new]
            if bool(old) != bool(new):
                _, branch, edge_type, _ = key.split(b"/")
                counts[branch, edge_type] += 1 if new else -1
            rows.append((row_key, None if after is None else after[1]))
            if removed and (source_id := parse_edge_key(key).source_id) in removed:
                removed[source_id] += [(one, one + b"\0") for one in old[_FROM_TARGET:]]
        for document_id, ranges in removed.items():
            if len(ranges) > _FEW:
                ranges = together([(document_id, ranges)])
            remaining = [*self._ranges(document_id), *ranges]
            rows.append(Remains(self._store).row(document_id, remaining))
        return rows + EdgeCount(self._store).rows(self._partition, counts)

    def _erase(self, document_id: str) -> None:
        self._erased[document_id] = None
        prefix = erased_key(document_id)
        for key in [one for one in self._edges if one.startswith(prefix)]:
            self._edges[key] = None
        for row_key in self._store.keys(*self._ranges(document_id)[0]):
            self._edges[read_edge_row_key(row_key)] = None

    def _ranges(self, document_id: str) -> list[Range]:
        return source_ranges(self._partition, document_id)


def forgetting(store: Store, partition: int) -> Iterator[Row]:
    """What removes all rows of a partition: a mark first, which the last one takes away."""
    yield Row(_mark(partition), b"")
    for key, value in store.scan(*partition_range(partition)):
        for one in _index_keys(read_edge_row_key(key), Edge.decode(value)):
            yield Row(one, None)
        yield Row(key, None)
    yield from EdgeCount(store).forgetting(partition)
    yield Row(_mark(partition), None)


def half_forgotten(store: Store) -> list[int]:
    """The partitions of which the removal was begun and never ended."""
    return [int(key[len(_MARK) :]) for key in store.keys(_MARK, _MARK_END)]


def _mark(partition: int) -> bytes:
    return b"%b%04d" % (_MARK, partition)


def _index_keys(key: bytes, edge: Edge) -> tuple[bytes, ...]:
    return index_keys(key, edge.created_at.encode())
