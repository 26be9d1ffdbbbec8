"""The edges from the documents of one partition, as its owner keeps them to publish changes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from time import perf_counter
from typing import Any

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.edge import (
    POSITION_KEY,
    Change,
    Edge,
    EdgeKey,
    change,
    edge_prefix,
    parse_edge_key,
    word,
)
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.operation import Operation
from docreactor.tables.remains import Range, Remains
from docreactor.tables.store import AnyRow, Row, Store

_EDGE = b"e/"
_EDGE_END = b"e0"
_QUARANTINE = b"q/"
_QUARANTINE_END = b"q0"
_STRETCH_S = 0.02
_AT_ONCE = 500


class EdgesTable:
    """The edges from the documents of one partition, as far as its store's position says."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.remains = Remains(store)

    def stage(self) -> EdgesStage:
        """What one batch will write."""
        return EdgesStage(self)

    def edge(self, key: EdgeKey) -> Edge | None:
        """One edge."""
        content = self.store.get(_EDGE + key.encode())
        return None if content is None else Edge.decode(content)

    def of(self, source_id: str, branch: str) -> list[Edge]:
        """The edges from a document on a branch, in the order of their keys."""
        return [Edge.decode(content) for _, content in self.records(source_id, branch)]

    def records(self, source_id: str, branch: str) -> Iterator[tuple[bytes, bytes]]:
        """As `of`, the records that they came from: the key of each and its value."""
        start, end = _range(edge_prefix(source_id, branch))
        for key, content in self.store.scan(start, end):
            yield key[len(_EDGE) :], content

    def keys(self, source_id: str) -> Iterator[EdgeKey]:
        """The keys of the edges from a document on all its branches."""
        for key in self.store.keys(*_all(source_id)):
            yield parse_edge_key(key[len(_EDGE) :])

    def branches(self, source_id: str) -> Iterator[str]:
        """The branches on which a document has edges; it looks at one edge of each."""
        start, end = _all(source_id)
        while (key := next(self.store.keys(start, end), None)) is not None:
            branch = parse_edge_key(key[len(_EDGE) :]).branch
            yield branch
            start = _range(edge_prefix(source_id, branch))[1]

    def sources_after(self, source_id: str, count_max: int) -> list[str]:
        """The next documents that have edges, in the order of their keys."""
        found: list[str] = []
        start = _all(source_id)[1] if source_id else _EDGE
        while len(found) < count_max:
            key = next(self.store.keys(start, _EDGE_END), None)
            if key is None:
                break
            found.append(parse_edge_key(key[len(_EDGE) :]).source_id)
            start = _all(found[-1])[1]
        return found

    def restored(self, records: Iterable[tuple[bytes, bytes | None]]) -> list[AnyRow]:
        """What records of `relationships`, in their order, write.

        A record with the key of an erased document's leaves nothing of the edges from it, and
        where they lay is then still to be compacted. ValueError for a key of something else.
        """
        rows: list[AnyRow] = []
        for key, value in records:
            if key == POSITION_KEY:
                continue
            erased = erased_document(key)
            if erased is None:
                parse_edge_key(key)
                rows.append((_EDGE + key, value))
                continue
            rows += self.erasing(erased)
            # Those of this very batch are not in the store yet.
            prefix = _EDGE + key
            rows += [(one, None) for one, _ in rows if one.startswith(prefix)]
        return rows

    def erasing(self, document_id: str) -> Iterator[AnyRow]:
        """What leaves nothing of a document but where its rows lay, which is told first."""
        start, end = _all(document_id)
        quarantine = _QUARANTINE + document_id.encode()
        ranges: list[Range] = [(start, end), (quarantine, quarantine + b"\0")]
        yield self.remains.row(document_id, ranges)
        yield quarantine, None
        for key in self.store.keys(start, end):
            yield key, None

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Documents that could not be applied, each with its problem, by id."""
        for key, content in self.store.scan(_QUARANTINE, _QUARANTINE_END):
            yield key[len(_QUARANTINE) :].decode(), decode(content)

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        """The problem of a quarantined document."""
        content = self.store.get(_QUARANTINE + document_id.encode())
        return None if content is None else decode(content)


class EdgesStage:
    """One batch: what it makes of each edge is published and written once.

    Dropped, it leaves no trace. Nobody else writes to the table's store meanwhile.
    """

    def __init__(self, table: EdgesTable) -> None:
        self._table = table
        self._edges: dict[EdgeKey, Edge | None] = {}
        self._problems: dict[str, dict[str, Any]] = {}
        self._quarantined: set[str] = set()
        self._released: set[str] = set()
        self.erased: set[str] = set()
        """Documents of which `rows` leaves nothing but where their rows lay."""

    def edge(self, key: EdgeKey) -> Edge | None:
        """One edge after what was staged."""
        if key in self._edges:
            return self._edges[key]
        return None if key.source_id in self.erased else self._table.edge(key)

    def of(self, source_id: str, branch: str) -> list[Edge]:
        """The edges from a document on a branch after what was staged, in the order of keys."""
        found: dict[EdgeKey, Edge] = {}
        if source_id not in self.erased:
            found = {edge.name: edge for edge in self._table.of(source_id, branch)}
        for key, edge in self._edges.items():
            if key[:2] != (source_id, branch):
                continue
            if edge is None:
                found.pop(key, None)
            else:
                found[key] = edge
        return [found[key] for key in sorted(found)]

    def put(self, changes: Iterable[Change]) -> None:
        """Take what became of edges."""
        for key, edge, _ in changes:
            self._edges[key] = edge

    def apply(self, operation: Operation, branch: str) -> None:
        """Take what an operation says that stands after all the others of its stream.

        It costs the same however many edges the document has.
        """
        said = word(operation, branch)
        if said is not None:
            self._edges[said.key] = said.apply(self.edge(said.key))

    async def replace(self, source_id: str, branch: str, after: Mapping[EdgeKey, Edge]) -> None:
        """Let a document have just these edges on a branch. The loop gets its turn."""
        for name in [one for one in self._edges if one[:2] == (source_id, branch)]:
            del self._edges[name]
        wanted = dict(after)
        since = perf_counter()
        stored = () if source_id in self.erased else self._table.records(source_id, branch)
        for key, content in stored:
            name = parse_edge_key(key)
            edge = wanted.pop(name, None)
            if edge is None or edge.encode() != content:
                self._edges[name] = edge
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        self._edges.update(wanted)

    def look_up(self, document_ids: Collection[str]) -> None:
        """Find out which of these documents are quarantined, in one look-up."""
        keys = [_QUARANTINE + document_id.encode() for document_id in document_ids]
        problems = self._table.store.get_many(keys)
        for document_id, problem in zip(document_ids, problems, strict=True):
            if problem is not None:
                self._quarantined.add(document_id)

    def is_quarantined(self, document_id: str) -> bool:
        """Whether an earlier operation of a document that was looked up could not be applied."""
        return document_id in self._quarantined

    def quarantine(self, document_id: str, problem: dict[str, Any]) -> None:
        """Set the document aside; the edges that it had before stay."""
        self._problems[document_id] = problem
        self._quarantined.add(document_id)

    def release(self, document_id: str) -> None:
        """Take the document back that was set aside."""
        self._quarantined.discard(document_id)
        self._problems.pop(document_id, None)
        self._released.add(document_id)

    def erase(self, document_id: str) -> None:
        """Leave nothing of the document, on any branch, whatever the batch has done to it."""
        self.erased.add(document_id)
        self._quarantined.discard(document_id)
        self._problems.pop(document_id, None)
        self._released.discard(document_id)
        for key in [key for key in self._edges if key.source_id == document_id]:
            del self._edges[key]

    def changes(self) -> Iterator[Change]:
        """What became of each edge since the last batch: to be published.

        First what erasures ended, then all else in the order of keys. An edge that was added and
        removed since is not among them. Looked up so many at a time, while they are taken.
        """
        for document_id in sorted(self.erased):
            for key in self._table.keys(document_id):
                if self._edges.get(key) is None:
                    yield Change(key, None, "removed")
        keys = sorted(self._edges)
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            stored = self._table.store.get_many([_EDGE + key.encode() for key in some])
            for key, content in zip(some, stored, strict=True):
                is_gone = content is None or key.source_id in self.erased
                before = None if is_gone else Edge.decode(content or b"")
                if (became := change(key, before, self._edges[key])) is not None:
                    yield became

    def rows(self) -> Iterator[AnyRow]:
        """Everything that the batch writes, made while it is taken; it may be written in parts."""
        for document_id in sorted(self.erased):
            yield from self._table.erasing(document_id)
        for key, edge in self._edges.items():
            yield _EDGE + key.encode(), None if edge is None else edge.encode()
        for document_id in self._released:
            yield Row(_QUARANTINE + document_id.encode(), None)
        for document_id, problem in self._problems.items():
            yield Row(_QUARANTINE + document_id.encode(), encode(problem))


def _range(prefix: bytes) -> Range:
    start = _EDGE + prefix
    # The byte after a slash: where the keys of a prefix that ends in one end.
    return start, start[:-1] + b"0"


def _all(document_id: str) -> Range:
    return _range(f"{document_id}/".encode())
