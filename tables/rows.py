"""The rows that a user's read model keeps of one partition."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.position import Offset
from docreactor.tables.remains import Remains
from docreactor.tables.store import Row, Store

SPACE = b"r/"
_ASIDE = b"q/"
_ASIDE_END = b"q0"
_NEW_BELOW = b"n/"
KEY_BYTES_MAX = 1_000
_LAST = b"\xff"
"""No text in UTF-8 has this byte."""

Found = tuple[str, bytes]
"""A row's key, and its value's canonical JSON."""


class Aside(NamedTuple):
    """A document that is not applied in the order of the log, and why.

    With a `problem` it was set aside, and `skipped` operations were left out since. Without one it
    was retried: everything of it below the offset `applied_below` is applied already.
    """

    problem: dict[str, Any] | None
    skipped: int = 0
    applied_below: int = 0

    def row(self, document_id: str) -> Row:
        """What keeps it."""
        told = {"applied_below": self.applied_below, "skipped": self.skipped}
        return Row(_ASIDE + document_id.encode(), encode({**told, "problem": self.problem}))

    @classmethod
    def none(cls, document_id: str) -> Row:
        """What says that a document is applied as the log has it."""
        return Row(_ASIDE + document_id.encode(), None)


class RowsTable:
    """An author's rows, by keys that are texts, and which documents are set aside."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.remains = Remains(store)

    def content(self, key: bytes) -> bytes | None:
        """The value of a key in UTF-8, as canonical JSON."""
        return self.store.get(SPACE + key)

    def pairs(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows with start <= key < end, in order; close the iterator or run it out."""
        cut = len(SPACE)
        return ((key[cut:], value) for key, value in self.store.scan(SPACE + start, SPACE + end))

    def get(self, key: str) -> bytes | None:
        """As `content`; None too for what can be no key."""
        content = key.encode(errors="replace")
        return self.content(content) if 0 < len(content) <= KEY_BYTES_MAX else None

    def page(
        self, prefix: str, *, at_least: str = "", after: str | None = None, limit: int
    ) -> list[Found]:
        """So many rows at most whose keys begin so: from a key on, or behind one."""
        start, end = prefix_range(prefix)
        start = max(start, at_least.encode(errors="replace"))
        if after is not None:
            start = max(start, after.encode(errors="replace") + b"\0")
        if start >= end:
            return []
        return [(key.decode(), value) for key, value in islice(self.pairs(start, end), limit)]

    def has_asides(self) -> bool:
        """Whether any document is not applied in the order of the log."""
        return any(True for _ in self.store.keys(_ASIDE, _ASIDE_END))

    def aside(self, document_id: str) -> Aside | None:
        """Why a document is not applied in the order of the log; None for one that is."""
        content = self.store.get(_ASIDE + document_id.encode())
        return None if content is None else _aside(content)

    def quarantined(self) -> Iterator[tuple[str, Aside]]:
        """The documents that were set aside, by id."""
        for key, content in self.store.scan(_ASIDE, _ASIDE_END):
            aside = _aside(content)
            if aside.problem is not None:
                yield key[len(_ASIDE) :].decode(), aside

    @property
    def new_below(self) -> Offset:
        """Up to which offset the log was older than these rows when they were begun."""
        return Offset(int(self.store.get(_NEW_BELOW) or b"0"))

    def new_below_row(self, offset: Offset) -> Row:
        """What keeps `new_below`."""
        return Row(_NEW_BELOW, b"%d" % offset)


def prefix_range(prefix: str) -> tuple[bytes, bytes]:
    """Where the keys lie that begin so: from the first to before the second."""
    start = prefix.encode(errors="replace")
    return start, start + _LAST


def _aside(content: bytes) -> Aside:
    told = decode(content)
    return Aside(told["problem"], told["skipped"], told["applied_below"])
