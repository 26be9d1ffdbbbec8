"""What is answered: one action in its place of a stream, with the hash of the state after it."""

from __future__ import annotations

from typing import Any

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.wire import Wire


class StoredAction(Wire, frozen=True, gc=False):
    """An action that has its place: as it was asked, and always with a timestamp."""

    id: str
    type: str
    scope: str
    timestamp: str
    input: Any = None
    context: dict[str, Any] | None = None


class Operation(Wire, frozen=True, gc=False):
    """The value of a record of `operations`; its key names the stream and the index.

    `hash` is of the scope's canonical state after the operation. `previous` is the digest of the
    stored bytes of the operation before it in the stream, or None at index 0. `error` is what a
    reducer raised: the operation then left the state as it was.
    """

    id: str
    document_type: str
    index: int
    skip: int
    timestamp: str
    hash: str
    previous: str | None
    error: str | None
    action: StoredAction

    def encode(self) -> bytes:
        """The canonical bytes that are stored."""
        return encode(self.json)
