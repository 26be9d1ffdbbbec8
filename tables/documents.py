"""What documents show: one row per document, scope and branch, and how to find them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from struct import Struct
from typing import Any

from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.canonical import JSON, decode, encode
from docreactor.pipeline.document import Document
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.catalogue import Catalogue, catalogue_row
from docreactor.tables.criteria import Criteria, Found, id_cursor, place_cursor, read_id, read_place
from docreactor.tables.slugs import Claim, Slugs, claim_row, release_row
from docreactor.tables.store import Row, Store

_STATE = b"s/"
_REVISION = b"r/"
_QUARANTINE = b"q/"
_QUARANTINE_END = b"q0"
_DEFAULT_SCOPE = "global"
_LABEL = Struct(">q")


@dataclass(frozen=True, slots=True)
class Header:
    """A document's header as its rows tell it.

    `revision` is the next index of each scope, `last_modified_at` the newest timestamp of all.
    """

    document: Document
    revision: dict[str, int]
    last_modified_at: str

    @property
    def json(self) -> dict[str, JSON]:
        """The form that HTTP answers."""
        document = self.document
        return {
            "id": document.id,
            "document_type": document.document_type,
            "slug": document.slug,
            "name": document.name,
            "branch": document.branch,
            "created_at": document.created_at,
            "last_modified_at": self.last_modified_at,
            "revision": self.revision,
            "protocol_versions": document.protocol_versions,
            "meta": document.meta,
        }


@dataclass(frozen=True, slots=True)
class ShownDocument:
    """A header and the JSON of scopes, all of one position."""

    header: Header
    state: dict[str, JSON]


class DocumentsTable:
    """The documents of one partition, as far as its store's position says."""

    def __init__(self, store: Store, replay: Replay) -> None:
        self.store = store
        self.slugs = Slugs(store)
        self._catalogue = Catalogue(store)
        self._replay = replay

    def stage(self) -> DocumentsStage:
        """What one batch will write."""
        return DocumentsStage(self, self._replay)

    def row(self, stream: Stream) -> bytes | None:
        """The stored state of one stream, in the form of `Replay.encode`."""
        return self.store.get(_state_key(stream))

    def state(self, document_id: str, scope: str, branch: str) -> bytes | None:
        """As `row`."""
        return self.row(Stream(document_id, scope, branch))

    def header(self, document_id: str, branch: str) -> Header | None:
        """None for a document that does not exist on this branch; a deleted one has a header."""
        document = self._document(document_id, branch)
        if document is None:
            return None
        prefix = _revision_prefix(document_id, branch)
        revision: dict[str, int] = {}
        last_modified_at = ""
        for key, value in self.store.scan(prefix, prefix[:-1] + b"0"):
            label, latest = _read_revision(value)
            revision[key[len(prefix) :].decode()] = label + 1
            last_modified_at = max(last_modified_at, latest)
        return Header(document, revision, last_modified_at)

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
        begun = header.document.initial_state
        wanted = {*header.revision, *begun, _DEFAULT_SCOPE} if scopes is None else set(scopes)
        state: dict[str, JSON] = {DOCUMENT_SCOPE: header.document.state}
        for scope in sorted(wanted - {DOCUMENT_SCOPE}):
            stream = Stream(document_id, scope, branch)
            content = self.row(stream)
            if content is not None:
                state[scope] = decode(content)["state"]
            elif header.document.version:
                origin = self._replay.origin(stream, header.document)
                state[scope] = decode(origin.content)
        return ShownDocument(header, state)

    def by_slug(self, slug: str, branch: str) -> str | None:
        """The living document that a slug stands for: the newest claim's."""
        return self.slugs.find(slug, branch)

    def find(self, criteria: Criteria, *, limit: int, cursor: str | None = None) -> Found:
        """One page of living documents. InvalidInput for a cursor of something else."""
        if criteria.ids is not None or criteria.slugs is not None:
            return self._find_named(criteria, limit, read_place(cursor))
        document_type = criteria.document_type or ""
        after = self._catalogue.after(document_type, criteria.branch, read_id(cursor))
        found = list(islice(after, limit + 1))
        more = len(found) > limit
        return Found(found[:limit], id_cursor(found[limit - 1]) if more else None)

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Documents that could not be applied, each with its problem, by id."""
        for key, content in self.store.scan(_QUARANTINE, _QUARANTINE_END):
            yield key[len(_QUARANTINE) :].decode(), decode(content)

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        """The problem of a quarantined document."""
        content = self.store.get(_QUARANTINE + document_id.encode())
        return None if content is None else decode(content)

    def _find_named(self, criteria: Criteria, limit: int, place: int) -> Found:
        names = criteria.ids if criteria.ids is not None else criteria.slugs or ()
        found: list[str] = []
        for at, name in enumerate(names[place:], place):
            document_id = name if criteria.ids is not None else self.by_slug(name, criteria.branch)
            if document_id is None or not self._fits(document_id, criteria):
                continue
            if len(found) == limit:
                return Found(found, place_cursor(at))
            found.append(document_id)
        return Found(found, None)

    def _fits(self, document_id: str, criteria: Criteria) -> bool:
        document = self._document(document_id, criteria.branch)
        if document is None or document.is_deleted:
            return False
        return criteria.document_type in (None, document.document_type)

    def _document(self, document_id: str, branch: str) -> Document | None:
        stream = Stream(document_id, DOCUMENT_SCOPE, branch)
        content = self.row(stream)
        if content is None:
            return None
        document: Document = self._replay.decode(stream, content).state
        return document


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

    def add(self, stream: Stream, state: StreamState, timestamp: str, document_type: str) -> None:
        """The state after one operation, which was made at `timestamp`."""
        touched = self._streams.get(stream)
        if touched is None:
            self._streams[stream] = _Touched(state, timestamp, document_type)
        else:
            touched.state = state
            touched.latest = max(touched.latest, timestamp)

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
        """Set the document aside; what it showed before stays."""
        self._problems[document_id] = problem
        self._quarantined.add(document_id)

    def rows(self) -> list[Row]:
        """Everything that the batch writes."""
        rows: list[Row] = []
        keys = [_revision_key(stream) for stream in self._streams]
        stored = self._table.store.get_many(keys)
        for (stream, touched), key, revision in zip(
            self._streams.items(), keys, stored, strict=True
        ):
            if stream.scope == DOCUMENT_SCOPE:
                rows += self._index_rows(stream, touched.state.state)
            content = self._replay.encode(stream, touched.state, touched.document_type)
            rows.append(Row(_state_key(stream), content))
            latest = touched.latest
            if revision is not None:
                latest = max(latest, _read_revision(revision)[1])
            rows.append(Row(key, _LABEL.pack(touched.state.label) + latest.encode()))
        for document_id, problem in self._problems.items():
            rows.append(Row(_QUARANTINE + document_id.encode(), encode(problem)))
        return rows

    def _index_rows(self, stream: Stream, document: Document) -> Iterator[Row]:
        content = self._table.row(stream)
        before: Document | None = None
        if content is not None:
            before = self._replay.decode(stream, content).state
        was_live = before is not None and not before.is_deleted
        is_live = not document.is_deleted
        if was_live != is_live:
            yield catalogue_row(document.document_type, stream.branch, document.id, is_live=is_live)
        old, new = _claim(before), _claim(document)
        if old is not None and old != new:
            yield release_row(old)
        if new is not None and old != new:
            yield claim_row(new)


def _claim(document: Document | None) -> Claim | None:
    """A deleted document claims nothing; a document's own id needs no claim."""
    if document is None or document.is_deleted or document.slug == document.id:
        return None
    return Claim(document.slug, document.branch, document.created_at, document.id)


def _state_key(stream: Stream) -> bytes:
    return _STATE + stream.prefix.encode()


def _revision_prefix(document_id: str, branch: str) -> bytes:
    return f"r/{document_id}/{branch}/".encode()


def _revision_key(stream: Stream) -> bytes:
    return f"r/{stream.document_id}/{stream.branch}/{stream.scope}".encode()


def _read_revision(value: bytes) -> tuple[int, str]:
    return _LABEL.unpack_from(value)[0], value[_LABEL.size :].decode()
