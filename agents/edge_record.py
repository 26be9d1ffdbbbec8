"""What the owner of a partition writes to `relationships`, and how it is read again."""

from __future__ import annotations

from typing import Any

import orjson

from docreactor.agents.log import Entry, LogRecord
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.edge import POSITION_KEY, Change, Edge, Kind, parse_edge_key
from docreactor.pipeline.erased import erased_key
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.record import HEADERS

CHANGE_HEADER = "change"
_QUARANTINED = b"/quarantined"
_OPERATIONS = "operations"
_SLASH = b"/"
_KINDS: dict[bytes, Kind] = {b"added": "added", b"updated": "updated", b"removed": "removed"}


def change_entry(change: Change) -> Entry:
    """An edge as it is from here on, or the tombstone of one that is no more."""
    value = None if change.edge is None else change.edge.encode()
    headers = (*HEADERS, (CHANGE_HEADER, change.kind.encode()))
    return Entry(change.key.encode(), value, headers)


def read_change(record: LogRecord) -> Change:
    """The inverse of `change_entry`. UndecodableRecord for a record of something else."""
    try:
        key = parse_edge_key(record.key or b"")
    except ValueError as cause:
        raise UndecodableRecordError(str(cause)) from cause
    if record.value is None:
        return Change(key, None, "removed")
    told = dict(record.headers).get(CHANGE_HEADER, b"")
    return Change(key, Edge.decode(record.value), _KINDS.get(told, "updated"))


def position_entry(operations: Offset) -> Entry:
    """How far the edges before it are: all that operations below this offset have changed."""
    return Entry(POSITION_KEY, encode({_OPERATIONS: operations}))


def read_position(value: bytes | None) -> Offset:
    """The inverse of `position_entry`. UndecodableRecord for a value of something else."""
    try:
        return Offset(int(orjson.loads(value or b"")[_OPERATIONS]))
    except (KeyError, TypeError, ValueError) as cause:
        raise UndecodableRecordError(f"{value!r} is no position") from cause


def erased_entry(document_id: str) -> Entry:
    """That a document was erased: it stands before the tombstones of the edges from it."""
    return Entry(erased_key(document_id), None)


def quarantine_entry(document_id: str, problem: dict[str, Any] | None) -> Entry:
    """That a document is set aside, or that it no longer is."""
    value = None if problem is None else encode(problem)
    return Entry(document_id.encode() + _QUARANTINED, value)


def quarantined_document(key: bytes) -> str | None:
    """Which document a record sets aside or takes back; None for every other key."""
    if key.endswith(_QUARANTINED) and key.count(_SLASH) == 1:
        return key[: -len(_QUARANTINED)].decode()
    return None
