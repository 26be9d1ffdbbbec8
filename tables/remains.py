"""Where rows of erased documents lay in a store: its files may hold them until it is compacted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from docreactor.pipeline.canonical import decode, encode
from docreactor.tables.store import Row, Store

_SPACE = b"c/"
_SPACE_END = b"c0"
_SPACE_LENGTH = 2

Range = tuple[bytes, bytes]
"""From a first key to before the second."""
Remaining = tuple[str, Sequence[Range]]
"""A document, and where its rows lay."""


class Remains:
    """A row for each document whose ranges are still to be compacted, in the store itself.

    It is written with what removes the document's rows, so that it outlasts the process.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, document_ids: Iterable[str]) -> list[Remaining]:
        """Those of these documents that there are."""
        found: list[Remaining] = []
        for document_id in document_ids:
            content = self._store.get(_key(document_id))
            if content is not None:
                found.append((document_id, _ranges(content)))
        return found

    def some(self, count_max: int) -> list[Remaining]:
        """The first ones, in the order of their keys."""
        rows = islice(self._store.scan(_SPACE, _SPACE_END), count_max)
        return [(key[len(_SPACE) :].decode(), _ranges(content)) for key, content in rows]

    def row(self, document_id: str, ranges: Iterable[Range]) -> Row:
        """What says that these ranges of a document are still to be compacted."""
        return Row(_key(document_id), encode([[start.hex(), end.hex()] for start, end in ranges]))

    def done_row(self, document_id: str) -> Row:
        """What says that nothing of a document is left to do."""
        return Row(_key(document_id), None)

    def own_range(self, some: Sequence[Remaining]) -> Range:
        """Where the rows of these documents lie that are written here."""
        keys = [_key(document_id) for document_id, _ in some]
        return min(keys), max(keys) + b"\0"


def together(some: Iterable[Remaining]) -> list[Range]:
    """One range for each space of keys, over all that the documents have there."""
    found: dict[bytes, Range] = {}
    for _, ranges in some:
        for start, end in ranges:
            first, last = found.get(start[:_SPACE_LENGTH], (start, end))
            found[start[:_SPACE_LENGTH]] = min(first, start), max(last, end)
    return list(found.values())


def _key(document_id: str) -> bytes:
    return _SPACE + document_id.encode()


def _ranges(content: bytes) -> list[Range]:
    return [(bytes.fromhex(start), bytes.fromhex(end)) for start, end in decode(content)]
