"""What stays of a document that was erased: one record, so that its id is never used again."""

from __future__ import annotations

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.wire import Wire

_SLASH = b"/"


class Erased(Wire, frozen=True, gc=False):
    """The value of the record of `operations` under the key `<document id>/`."""

    document_id: str
    erased_at: str

    def encode(self) -> bytes:
        """The canonical bytes that are stored."""
        return encode(self.json)


def erased_key(document_id: str) -> bytes:
    """The key of the record; no operation's is like it."""
    return document_id.encode() + _SLASH


def erased_document(key: bytes) -> str | None:
    """Whose record this key is; None for every other key."""
    if key.endswith(_SLASH) and key.count(_SLASH) == 1:
        return key[:-1].decode()
    return None
