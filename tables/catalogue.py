"""Which documents there are, type by type: the living and the deleted, by id and by last change."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import lru_cache
from heapq import merge
from struct import Struct
from typing import NamedTuple

from docreactor.pipeline.document import Document
from docreactor.tables.criteria import Criteria, Life, Order, Place
from docreactor.tables.store import AnyRow, Store

_LIVING, _DELETED = b"l", b"d"
_BY_ID = {_LIVING: b"t/", _DELETED: b"x/"}
_BY_TIME = {_LIVING: b"u/", _DELETED: b"v/"}
_LENGTH = Struct(">I")
_TIME_BYTES = len("2000-01-01T00:00:00.000000Z")
_TYPE = len(_LIVING) + _TIME_BYTES
"""Where the type begins in an entry's row, after the life and the time."""
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
        for key, row in self._store.scan(start, prefix[:-1] + b"0"):
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
                name = document_id.encode()
                rows.append((by_time + old[1:_TYPE] + name, None))
                rows.append((by_time + new + name, b""))
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
        by_time = criteria.order is not Order.ID
        spaces = _BY_TIME if by_time else _BY_ID
        lives = {Life.LIVING: (_LIVING,), Life.DELETED: (_DELETED,)}
        lists = [
            self._list(spaces[life], criteria, after)
            for life in lives.get(criteria.life, (_LIVING, _DELETED))
        ]
        order = criteria.order
        yield from merge(*lists, key=order.key, reverse=order.is_reversed)

    def _list(self, space: bytes, criteria: Criteria, after: Place | None) -> Iterator[Place]:
        prefix = space + _listing(criteria.document_type.encode(), criteria.branch)
        start, end = prefix, prefix[:-1] + b"0"
        is_by_id = criteria.order is Order.ID
        is_reversed = criteria.order.is_reversed
        if after is not None:
            since = "" if is_by_id else after.last_modified_at
            last = prefix + since.encode() + after.document_id.encode()
            start, end = (start, last) if is_reversed else (last + b"\0", end)
        time_bytes = 0 if is_by_id else _TIME_BYTES
        for key in self._store.keys(start, end, reverse=is_reversed):
            text = key[len(prefix) :].decode()
            yield Place(text[time_bytes:], text[:time_bytes])


def _moved(document_id: str, branch: str, old: bytes | None, new: bytes | None) -> Iterator[AnyRow]:
    """From the lists where one row has a document to those of another."""
    name = document_id.encode()
    is_same_list = (
        old is not None and new is not None and (old[:1], old[_TYPE:]) == (new[:1], new[_TYPE:])
    )
    for row, value in ((old, None), (new, b"")):
        if row is not None:
            by_id, by_time = _BY_ID[row[:1]], _BY_TIME[row[:1]]
            listing = _listing(row[_TYPE:], branch)
            yield b"%b%b%b%b" % (by_time, listing, row[1:_TYPE], name), value
            if not is_same_list:
                yield b"%b%b%b" % (by_id, listing, name), value


@lru_cache(_LISTINGS_KEPT)
def _listing(document_type: bytes, branch: str) -> bytes:
    # The length in front keeps any text apart from what follows it.
    return b"%b%b%b/" % (_LENGTH.pack(len(document_type)), document_type, branch.encode())


def _entry_key(document_id: str, branch: str) -> bytes:
    return f"e/{document_id}/{branch}".encode()


def _entry(row: bytes) -> Entry:
    return Entry(row[_TYPE:].decode(), row[1:_TYPE].decode(), row[:1] == _DELETED)
