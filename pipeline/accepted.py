"""A person's word that a document shows what the present model makes of it."""

from __future__ import annotations

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.wire import Wire

_END = b"/accepted"


class Accepted(Wire, frozen=True, gc=False):
    """The value of the record of `operations` under the key `<document id>/accepted`.

    `labels` says by `scope/branch` up to which index recorded hashes are let pass: the states
    there are what the model gives, and everything later is built on them.
    """

    document_id: str
    accepted_at: str
    labels: dict[str, int]

    @property
    def streams(self) -> dict[Stream, int]:
        """The labels by stream, a document's own streams first."""
        found = {
            Stream(self.document_id, *place.split("/")): label
            for place, label in sorted(self.labels.items())
        }
        return dict(sorted(found.items(), key=lambda pair: pair[0] != pair[0].home))

    def encode(self) -> bytes:
        """The canonical bytes that are stored."""
        return encode(self.json)


def accepted_key(document_id: str) -> bytes:
    """The key of the record; no operation's is like it."""
    return document_id.encode() + _END


def accepted_document(key: bytes) -> str | None:
    """Whose record this key is; None for every other key."""
    if key.endswith(_END) and key.count(b"/") == 1:
        return key[: -len(_END)].decode()
    return None
