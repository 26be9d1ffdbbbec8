"""What is known of whole documents beside their operations: that one was erased, or accepted."""

from __future__ import annotations

from collections.abc import Iterator

from docreactor.pipeline.accepted import Accepted, accepted_document
from docreactor.pipeline.erased import Erased, erased_document
from docreactor.tables.remains import Range, Remains
from docreactor.tables.store import AnyRow, Store

_ERASED = b"e/"
_ACCEPTED = b"v/"
_ACCEPTED_END = b"v0"
_OF_A_DOCUMENT = (b"o/", b"a/", b"h/", _ACCEPTED, b"k/")
"""What begins the keys of rows of one document in its partition's store, whoever writes them."""
_DEFERRED = b"w/"
"""Those of its deferred jobs: their own tombstones remove them, which need them to be there."""
_JOBS = (b"j/", b"j0")
"""Results of jobs, whose keys do not say of which document."""


class Lasting:
    """Rows about whole documents in the store of a partition's operations."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.remains = Remains(store)
        """Which documents are erased but for the files."""

    def erased(self, document_id: str) -> Erased | None:
        """What stays of a document that was erased."""
        content = self._store.get(_ERASED + document_id.encode())
        return None if content is None else Erased.decode(content)

    def accepted(self) -> Iterator[Accepted]:
        """Every document of which a person has accepted what it shows."""
        for _, content in self._store.scan(_ACCEPTED, _ACCEPTED_END):
            yield Accepted.decode(content)

    def rows(self, key: bytes, value: bytes | None) -> list[AnyRow]:
        """What a record about a whole document writes; an erasure, instead of all that is left.

        What an erasure removes, here or before, is then still to be compacted.
        ValueError for any other record.
        """
        accepted = accepted_document(key)
        if accepted is not None:
            return [(_range(_ACCEPTED, accepted)[0], value)]
        erased = erased_document(key)
        if erased is None or value is None:
            raise ValueError(f"{key!r} is no key of operations")
        rows: list[AnyRow] = []
        for space in _OF_A_DOCUMENT:
            rows += [(left, None) for left in self._store.keys(*_range(space, erased))]
        rows.append(self.remains.row(erased, [*ranges(erased), _JOBS]))
        return [*rows, (_ERASED + erased.encode(), value)]


def ranges(document_id: str) -> list[Range]:
    """Where all of a document's rows lie: from each first key to before the second."""
    return [_range(space, document_id) for space in (*_OF_A_DOCUMENT, _DEFERRED)]


def _range(space: bytes, document_id: str) -> Range:
    """From the first key of a document's rows to before the second."""
    start = b"%b%b/" % (space, document_id.encode())
    # The byte after a slash: where the keys of a prefix that ends in one end.
    return start, start[:-1] + b"0"
