"""What a stored history shows: the fold of its operations, every hash checked."""

from __future__ import annotations

from typing import Any

import orjson

from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.bound import UNBOUNDED, Bound
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.context import Context
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    HashMismatchError,
    ReactorError,
    UndecodableRecordError,
)
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.reduce import NOTHING, origin, reduce, reduce_document
from docreactor.pipeline.reducer import input_content
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.stream_state import StreamState

_UNBOUNDED = 2**63


class Replay:
    """Folds stored operations with the models of a registry. Pure."""

    def __init__(self, registry: Registry, bound: Bound = UNBOUNDED) -> None:
        self._registry = registry
        self._bound = bound

    def origin(self, stream: Stream, document: Document | None) -> StreamState:
        """What the stream shows before its first operation: label -1."""
        if stream.scope == DOCUMENT_SCOPE:
            return NOTHING
        if document is None:
            raise CorruptHistoryError(f"{stream.prefix}: a stream without a creation")
        return origin(self._registry.model(document.document_type), stream.scope, document)

    def advance(
        self, base: StreamState, operation: Operation, stream: Stream, document: Document | None
    ) -> StreamState:
        """The state after one stored operation. A recorded error is honoured, never re-decided.

        CorruptHistory on a gap, HashMismatch when the model gives another state than recorded,
        ReducerTimeout when it takes too long.
        """
        if operation.index != base.label + 1:
            raise CorruptHistoryError(
                f"{stream.prefix}: expected operation {base.label + 1}, found {operation.index}"
            )
        if operation.error is not None:
            state = base._replace(label=operation.index)
        else:
            state = self._reduce(base, operation, stream, document)
        if state.hash != operation.hash:
            raise HashMismatchError(
                stream.document_id,
                key=f"{stream.prefix}{operation.index}",
                expected=operation.hash,
                actual=state.hash,
            )
        return state

    def _reduce(
        self, base: StreamState, operation: Operation, stream: Stream, document: Document | None
    ) -> StreamState:
        action = operation.action
        if stream.scope == DOCUMENT_SCOPE:
            return reduce_document(base, action.type, action.input, action.timestamp, stream)
        if document is None:
            raise CorruptHistoryError(f"{stream.prefix}: an operation without a creation")
        context = Context(
            action.timestamp,
            action.id,
            (action.context or {}).get("signer"),
            document.origin,
        )
        state, error = reduce(
            self._registry.model(document.document_type),
            base,
            stream.scope,
            action.type,
            input_content(action.input),
            context,
            document_bytes_max=_UNBOUNDED,
            bound=self._bound,
        )
        if error is not None:
            raise HashMismatchError(
                stream.document_id,
                key=f"{stream.prefix}{operation.index}",
                expected=operation.hash,
                actual=error,
            )
        return state

    def encode(self, stream: Stream, state: StreamState, document_type: str) -> bytes:
        """The form of a keyframe and of a table's row."""
        content: Any = orjson.Fragment(state.content)
        if stream.scope == DOCUMENT_SCOPE:
            content = state.state.model_dump()
        return encode(
            {
                "hash": state.hash,
                "label": state.label,
                "model": document_type,
                "state": content,
                "version": state.version,
            }
        )

    def decode(self, stream: Stream, content: bytes) -> StreamState:
        """The inverse of `encode`. UndecodableRecord when it is not what its own hash says."""
        try:
            row = orjson.loads(content)
            label, version, hashed = row["label"], row["version"], row["hash"]
            if stream.scope == DOCUMENT_SCOPE:
                document = Document.model_validate(row["state"])
                state, text = document, encode(document.state)
            else:
                model = self._registry.model(row["model"])
                state = model.read(version, stream.scope, encode(row["state"]))
                text = model.write(version, stream.scope, state)
        except (ValueError, KeyError, TypeError, ReactorError) as cause:
            raise UndecodableRecordError(f"{stream.prefix}: {cause}") from cause
        if digest(text) != hashed:
            raise UndecodableRecordError(f"{stream.prefix}{label}: not the state of its hash")
        return StreamState(label, version, state, text, hashed)
