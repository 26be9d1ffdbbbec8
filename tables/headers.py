"""The headers of documents, each told from the rows of its streams."""

from __future__ import annotations

from collections.abc import Container

from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.document import Document
from docreactor.pipeline.header import Facts, newest
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.replay import Replay
from docreactor.tables.header import Header, read_facts_of, read_revision
from docreactor.tables.store import Store

_STATE = b"s/"


class Headers:
    """The headers of one partition's documents, as far as its store's position says."""

    def __init__(self, store: Store, replay: Replay) -> None:
        self._store = store
        self._replay = replay

    def of(self, document_id: str, branch: str) -> Header | None:
        """None for a document that does not exist on this branch; a deleted one has a header."""
        document = self._document(document_id, branch)
        if document is None:
            return None
        prefix = _revision_prefix(document_id, branch)
        revision: dict[str, int] = {}
        last_modified_at = ""
        told: list[Facts] = []
        for key, value in self._store.scan(prefix, prefix[:-1] + b"0"):
            label, latest = read_revision(value)
            revision[key[len(prefix) :].decode()] = label + 1
            last_modified_at = max(last_modified_at, latest)
            told.append(read_facts_of(value))
        return Header(document, revision, last_modified_at, newest(told))

    def facts(self, document_id: str, branch: str, *, but: Container[str]) -> list[Facts]:
        """What the stored operations of each scope say about the header, but for some scopes."""
        prefix = _revision_prefix(document_id, branch)
        rows = self._store.scan(prefix, prefix[:-1] + b"0")
        return [
            read_facts_of(value) for key, value in rows if key[len(prefix) :].decode() not in but
        ]

    def _document(self, document_id: str, branch: str) -> Document | None:
        stream = Stream(document_id, DOCUMENT_SCOPE, branch)
        content = self._store.get(state_key(stream))
        if content is None:
            return None
        document: Document = self._replay.decode(stream, content).state
        return document


def state_key(stream: Stream) -> bytes:
    """Where a stream's state is kept."""
    return _STATE + stream.prefix.encode()


def revision_key(stream: Stream) -> bytes:
    """Where a stream's newest label and time are kept, and what it says about the header."""
    return _revision_prefix(stream.document_id, stream.branch) + stream.scope.encode()


def _revision_prefix(document_id: str, branch: str) -> bytes:
    return f"r/{document_id}/{branch}/".encode()
