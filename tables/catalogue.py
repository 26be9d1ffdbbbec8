"""Which documents there are, type by type: the living and the deleted, by id and by last change."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import lru_cache
from heapq import merge
from itertools import groupby
from struct import Struct
from typing import NamedTuple

from docreactor.pipeline.document import Document
from docreactor.tables.criteria import Criteria, Life, Order, Place
from docreactor.tables.store import AnyRow, Store

_LIVING, _DELETED = b"l", b"d"
_BY_ID = {_LIVING: b"t/", _DELETED: b"x/"}
_BY_TIME = {_LIVING: b"u/", _DELETED: b"v/"}
_LIVES = {Life.LIVING: (_LIVING,), Life.DELETED: (_DELETED,), Life.EITHER: (_LIVING, _DELETED)}
_LENGTH = Struct(">I")
_TIME_BYTES = len("2000-01-01T00:00:00.000000Z")
_TYPE = len(_LIVING) + _TIME_BYTES
"""Where the type begins in an entry's row, after the life and the time."""
_MOMENT_BYTES = len("2000-01-01T00:00:00.0")
"""A list by time has one row of a document for a tenth of a second, with the rest of its time as
the value: where a document changes at every moment, whoever reads the list would have to pass as
many rows that are gone."""
_LISTINGS_KEPT = 4_096


class Entry(NamedTuple):
    """How one document of one branch is listed."""

    document_type: str
    last_modified_at: str
    is_deleted: bool

    @property
    def row(self) -> bytes:
        """What is stored of it."""
        life = _DELETED if self.is_deleted else _LIVING
        return life + self.last_modified_at.encode() + self.document_type.encode()


class Change(NamedTuple):
    """A document that changes until `latest`; `document` where its own scope does."""

    document_id: str
    branch: str
    latest: str
    document: Document | None


class Catalogue:
    """The documents of one partition by type and branch."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def is_living(self, document_ids: Sequence[str], branch: str) -> list[bool]:
        """Which of these documents there are, in their order."""
        keys = [_entry_key(document_id, branch) for document_id in document_ids]
        return [row is not None and row[:1] == _LIVING for row in self._store.get_many(keys)]

    def of(self, document_id: str, after: str = "") -> Iterator[tuple[str, Entry]]:
        """Each branch of a document in order, and how it is listed there; those after a branch."""
        prefix = _entry_key(document_id, "")
        start = prefix + after.encode() + b"\0" if after else prefix
        for key, row in self._store.scan(start, _after(prefix)):
            yield key[len(prefix) :].decode(), _entry(row)

    def rows(self, changes: Sequence[Change]) -> list[AnyRow]:
        """What listing these documents writes, each of them once."""
        rows: list[AnyRow] = []
        keys = [_entry_key(change.document_id, change.branch) for change in changes]
        entries = self._store.get_many(keys)
        for (document_id, branch, latest, document), key, old in zip(
            changes, keys, entries, strict=True
        ):
            new = latest.encode()
            if document is not None:
                since = new if old is None else max(new, old[1:_TYPE])
                life = _DELETED if document.is_deleted else _LIVING
                row = b"%b%b%b" % (life, since, document.document_type.encode())
                if row != old:
                    rows += _moved(document_id, branch, old, row)
                    rows.append((key, row))
            # A document that was never listed has no operations in another scope either.
            elif old is not None and new > old[1:_TYPE]:
                by_time = _BY_TIME[old[:1]] + _listing(old[_TYPE:], branch)
                name, since = document_id.encode(), old[1:_TYPE]
                if new[:_MOMENT_BYTES] != since[:_MOMENT_BYTES]:
                    rows.append((by_time + since[:_MOMENT_BYTES] + name, None))
                rows.append((by_time + new[:_MOMENT_BYTES] + name, new[_MOMENT_BYTES:]))
                rows.append((key, old[:1] + new + old[_TYPE:]))
        return rows

    def left_rows(self, document_id: str) -> Iterator[AnyRow]:
        """What taking a document off every list writes."""
        for branch, entry in self.of(document_id):
            yield from _moved(document_id, branch, entry.row, None)
            yield _entry_key(document_id, branch), None

    def listed(self, criteria: Criteria, after: Place | None) -> Generator[Place]:
        """The documents that come after this place, in order; all of them after None.

        As they are while nothing is written: whoever lets others write goes on from the last place.
        """
        is_by_id = criteria.order is Order.ID
        spaces, listed = (_BY_ID, self._by_id) if is_by_id else (_BY_TIME, self._by_time)
        lists = [listed(spaces[life], criteria, after) for life in _LIVES[criteria.life]]
        order = criteria.order
        yield from merge(*lists, key=order.key, reverse=order.is_reversed)

    def _by_id(self, space: bytes, criteria: Criteria, after: Place | None) -> Iterator[Place]:
        prefix = space + _listing(criteria.document_type.encode(), criteria.branch)
        start = prefix if after is None else prefix + after.document_id.encode() + b"\0"
        for key in self._store.keys(start, _after(prefix)):
            yield Place(key[len(prefix) :].decode(), "")

    def _by_time(self, space: bytes, criteria: Criteria, after: Place | None) -> Iterator[Place]:
        order = criteria.order
        prefix = space + _listing(criteria.document_type.encode(), criteria.branch)
        start, end = prefix, _after(prefix)
        if after is not None:
            moment = prefix + after.last_modified_at.encode()[:_MOMENT_BYTES]
            start, end = (start, moment + b"\xff") if order.is_reversed else (moment, end)
        rows = self._store.scan(start, end, reverse=order.is_reversed)
        name_at = len(prefix) + _MOMENT_BYTES
        for moment, group in groupby(rows, key=lambda row: row[0][len(prefix) : name_at]):
            # Many documents may have one time: of each as little is made as can be.
            found = [(rest, key[name_at:]) for key, rest in group]
            found.sort(reverse=order.is_reversed)
            for rest, name in found:
                place = Place(name.decode(), (moment + rest).decode())
                if after is None or order.is_after(place, after):
                    yield place


def _moved(document_id: str, branch: str, old: bytes | None, new: bytes | None) -> Iterator[AnyRow]:
    """From the lists where one row has a document to those of another."""
    before, now = (_listed(document_id, branch, row) for row in (old, new))
    for key in before:
        if key not in now:
            yield key, None
    for key, value in now.items():
        if before.get(key) != value:
            yield key, value


def _listed(document_id: str, branch: str, row: bytes | None) -> dict[bytes, bytes]:
    """The rows that list a document with such an entry."""
    if row is None:
        return {}
    life, since, listing = row[:1], row[1:_TYPE], _listing(row[_TYPE:], branch)
    name = document_id.encode()
    return {
        _BY_ID[life] + listing + name: b"",
        _BY_TIME[life] + listing + since[:_MOMENT_BYTES] + name: since[_MOMENT_BYTES:],
    }


def _after(prefix: bytes) -> bytes:
    """The first key after all those that begin like this; a prefix ends in a slash."""
    return prefix[:-1] + b"0"


@lru_cache(_LISTINGS_KEPT)
def _listing(document_type: bytes, branch: str) -> bytes:
    # The length in front keeps any text apart from what follows it.
    return b"%b%b%b/" % (_LENGTH.pack(len(document_type)), document_type, branch.encode())


def _entry_key(document_id: str, branch: str) -> bytes:
    return f"e/{document_id}/{branch}".encode()


def _entry(row: bytes) -> Entry:
    return Entry(row[_TYPE:].decode(), row[1:_TYPE].decode(), row[:1] == _DELETED)
