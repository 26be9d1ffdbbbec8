"""Which living documents there are, type by type."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from docreactor.tables.store import Row, Store

_SPACE = b"t/"
_LENGTH = Struct(">I")


class Catalogue:
    """The living documents of one partition by type and branch."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def after(self, document_type: str, branch: str, document_id: str) -> Iterator[str]:
        """The ids of that type that come after this one, in order; from the first after ''."""
        prefix = _prefix(document_type, branch)
        start = prefix + document_id.encode() + b"\0"
        for key in self._store.keys(start, prefix[:-1] + b"0"):
            yield key[len(prefix) :].decode()


def catalogue_row(document_type: str, branch: str, document_id: str, *, is_live: bool) -> Row:
    """What listing a document under its type writes, or taking it off the list."""
    key = _prefix(document_type, branch) + document_id.encode()
    return Row(key, b"" if is_live else None)


def _prefix(document_type: str, branch: str) -> bytes:
    # The length in front keeps any text apart from what follows it.
    text = document_type.encode()
    return b"%b%b%b%b/" % (_SPACE, _LENGTH.pack(len(text)), text, branch.encode())
