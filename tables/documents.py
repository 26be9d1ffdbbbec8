"""What documents show: one row per document, scope and branch, and how to find them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.canonical import JSON, decode, encode
from docreactor.pipeline.document import Document
from docreactor.pipeline.header import Facts, newest
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.catalogue import Catalogue, Change
from docreactor.tables.header import Header, ShownDocument, read_revision, revision_row, tells
from docreactor.tables.headers import Headers, revision_key, state_key
from docreactor.tables.leavings import key_ranges, left_rows
from docreactor.tables.remains import Remains
from docreactor.tables.slugs import Slugs, claim_row, release_row
from docreactor.tables.store import AnyRow, Row, Store

_QUARANTINE = b"q/"
_QUARANTINE_END = b"q0"
_AHEAD = "shown_below"
_DEFAULT_SCOPE = "global"

Named = tuple[str, str]
"""A document by its id and branch."""


class DocumentsTable:
    """The documents of one partition, as far as its store's position says."""

    def __init__(self, store: Store, replay: Replay) -> None:
        self.store = store
        self.slugs = Slugs(store)
        self.remains = Remains(store)
        self.catalogue = Catalogue(store)
        self.headers = Headers(store, replay)
        self._replay = replay

    def stage(self) -> DocumentsStage:
        """What one batch will write."""
        return DocumentsStage(self, self._replay)

    def row(self, stream: Stream) -> bytes | None:
        """The stored state of one stream, in the form of `Replay.encode`."""
        return self.store.get(state_key(stream))

    def state(self, document_id: str, scope: str, branch: str) -> bytes | None:
        """As `row`."""
        return self.row(Stream(document_id, scope, branch))

    def header(self, document_id: str, branch: str) -> Header | None:
        """None for a document that does not exist on this branch; a deleted one has a header."""
        return self.headers.of(document_id, branch)

    def document(
        self, document_id: str, branch: str, scopes: Sequence[str] | None = None
    ) -> ShownDocument | None:
        """The header and the scope `document` with those asked for, or with all there are.

        A scope is there with its first operation or with the state that the creation gave it. A
        scope without operations shows what its model gives a new document.
        """
        header = self.header(document_id, branch)
        if header is None:
            return None
        begun = header.document.given_scopes
        wanted = {*header.revision, *begun, _DEFAULT_SCOPE} if scopes is None else set(scopes)
        state: dict[str, JSON] = {DOCUMENT_SCOPE: header.document.state}
        for scope in sorted(wanted - {DOCUMENT_SCOPE}):
            stream = Stream(document_id, scope, branch)
            content = self.row(stream)
            if content is not None:
                state[scope] = self._shown(stream, content, header.document)
            elif header.document.version:
                origin = self._replay.origin(stream, header.document)
                shown = self._replay.shown(stream, origin, header.document)
                state[scope] = decode(shown.content)
        return ShownDocument(header, state)

    def _shown(self, stream: Stream, content: bytes, document: Document) -> JSON:
        """A row's state in the version that its document has."""
        row = decode(content)
        if row["version"] >= document.version:
            return row["state"]
        state = self._replay.decode(stream, content)
        return decode(self._replay.shown(stream, state, document).content)

    def by_slug(self, slug: str, branch: str) -> str | None:
        """The living document that a slug stands for: the newest claim's."""
        return self.slugs.find(slug, branch)

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Documents that could not be applied, each with its problem, by id."""
        for key, content in self.store.scan(_QUARANTINE, _QUARANTINE_END):
            problem = decode(content)
            if _AHEAD not in problem:
                yield key[len(_QUARANTINE) :].decode(), problem

    def passed_rows(self, next_offset: int) -> list[AnyRow]:
        """What forgets of documents that they were ahead of the others, who are there now."""
        return [
            Row(key, None)
            for key, content in self.store.scan(_QUARANTINE, _QUARANTINE_END)
            if decode(content).get(_AHEAD, next_offset + 1) <= next_offset
        ]

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        """The problem of a quarantined document."""
        content = self.store.get(_QUARANTINE + document_id.encode())
        problem = None if content is None else decode(content)
        return None if problem is None or _AHEAD in problem else problem


class _Touched:
    """What a batch does to one stream."""

    __slots__ = ("document_type", "latest", "state")

    def __init__(self, state: StreamState, timestamp: str, document_type: str) -> None:
        self.state = state
        self.latest = timestamp
        self.document_type = document_type


class DocumentsStage:
    """One batch: each stream that it touches is written once. Dropped, it leaves no trace."""

    def __init__(self, table: DocumentsTable, replay: Replay) -> None:
        self._table = table
        self._replay = replay
        self._streams: dict[Stream, _Touched] = {}
        self._problems: dict[str, dict[str, Any]] = {}
        self._quarantined: set[str] = set()
        self._ahead: dict[str, int] = {}
        self._released: set[str] = set()
        self.erased: set[str] = set()
        """Documents of which `rows` leaves nothing but where their rows lay."""

    def add(self, stream: Stream, state: StreamState, timestamp: str, document_type: str) -> None:
        """The state after one operation, which was made at `timestamp`."""
        touched = self._streams.get(stream)
        if touched is None:
            self._streams[stream] = _Touched(state, timestamp, document_type)
        else:
            touched.state = state
            touched.latest = max(touched.latest, timestamp)

    def look_up(self, document_ids: Collection[str]) -> None:
        """Find out which of these documents are quarantined or ahead, in one look-up."""
        keys = [_QUARANTINE + document_id.encode() for document_id in document_ids]
        asides = self._table.store.get_many(keys)
        for document_id, content in zip(document_ids, asides, strict=True):
            if content is None:
                continue
            aside = decode(content)
            if _AHEAD in aside:
                self._ahead[document_id] = aside[_AHEAD]
            else:
                self._quarantined.add(document_id)

    def is_ahead(self, document_id: str, offset: int) -> bool:
        """Whether a document that was looked up shows what stands at an offset already."""
        return bool(self._ahead) and offset < self._ahead.get(document_id, 0)

    def go_ahead(self, document_id: str, next_offset: int) -> None:
        """Take the document back, which shows all below an offset that others lack yet."""
        self.release(document_id)
        self._problems[document_id] = {_AHEAD: next_offset}

    def pass_over(self, next_offset: int) -> None:
        """The others show all below an offset too: who is no more ahead need not be told apart."""
        for document_id, ahead in self._ahead.items():
            if ahead <= next_offset:
                self._released.add(document_id)

    def is_quarantined(self, document_id: str) -> bool:
        """Whether an earlier operation of a document that was looked up could not be applied."""
        return document_id in self._quarantined

    def quarantine(self, document_id: str, problem: dict[str, Any]) -> None:
        """Set the document aside; what it showed before stays."""
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
        for stream in [one for one in self._streams if one.document_id == document_id]:
            del self._streams[stream]

    def rows(self) -> list[AnyRow]:
        """Everything that the batch writes."""
        rows: list[AnyRow] = []
        for document_id in self.erased:
            left = list(left_rows(self._table.store, document_id, self._table.header))
            rows += left
            rows.append(self._table.remains.row(document_id, key_ranges(document_id, left)))
        rows += self._stream_rows()
        for document_id in self._released:
            rows.append(Row(_QUARANTINE + document_id.encode(), None))
        for document_id, problem in self._problems.items():
            rows.append(Row(_QUARANTINE + document_id.encode(), encode(problem)))
        return rows

    def _stream_rows(self) -> list[AnyRow]:
        rows: list[AnyRow] = []
        keys = [revision_key(stream) for stream in self._streams]
        stored = self._table.store.get_many(keys)
        changed: dict[Named, str] = {}
        documents: dict[Named, Document] = {}
        renamed: dict[Named, dict[str, Facts]] = {}
        for (stream, touched), key, revision in zip(
            self._streams.items(), keys, stored, strict=True
        ):
            named, latest = (stream.document_id, stream.branch), touched.latest
            if latest > changed.get(named, ""):
                changed[named] = latest
            facts = touched.state.facts
            if stream.scope == DOCUMENT_SCOPE:
                documents[named] = touched.state.state
            if facts or stream.scope == DOCUMENT_SCOPE or tells(revision):
                renamed.setdefault(named, {})[stream.scope] = facts
            content = self._replay.encode(stream, touched.state, touched.document_type)
            rows.append((state_key(stream), content))
            if revision is not None:
                latest = max(latest, read_revision(revision)[1])
            rows.append((key, revision_row(touched.state.label, latest, facts)))
        rows += self._table.catalogue.rows(
            [Change(*named, latest, documents.get(named)) for named, latest in changed.items()]
        )
        for named, told in renamed.items():
            rows += self._claim_rows(named, documents.get(named), told)
        return rows

    def _claim_rows(
        self, named: Named, document: Document | None, told: Mapping[str, Facts]
    ) -> Iterator[AnyRow]:
        """What the document claims, after `told` by the scopes that the batch touches."""
        before = self._table.header(*named)
        if document is None:
            if before is None:
                return
            document = before.document
        facts = newest([*self._table.headers.facts(*named, but=told), *told.values()])
        old, new = None if before is None else before.claim, Header(document, {}, "", facts).claim
        if old is not None and old != new:
            yield release_row(old)
        if new is not None and old != new:
            yield claim_row(new)
