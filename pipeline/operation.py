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

    `skip` says how many indexes before it the operation supersedes. `hash` is of the scope's
    canonical state after it. `previous` is the digest of the stored bytes of the operation before
    it in the stream, or None at index 0. `error` says why it left the state as it was. `version`
    is the model's version that it was decided under.
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
    version: int = 1

    def encode(self) -> bytes:
        """The canonical bytes that are stored."""
        return encode(self.json)
