"""What a stored history shows: the fold of its operations, every hash checked."""

from __future__ import annotations

from typing import Any

import orjson

from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.bound import UNBOUNDED, Bound, DeadlinePassed
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.context import Context, signer_of
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    DowngradeNotSupportedError,
    HashMismatchError,
    ReactorError,
    UndecodableRecordError,
    UnknownModelError,
    UpgradeFailedError,
    UpgradePreconditionFailedError,
)
from docreactor.pipeline.header import read_facts, write_facts
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.reduce import (
    NOTHING,
    WRONG_ACTION,
    migrated,
    origin,
    reduce,
    reduce_document,
)
from docreactor.pipeline.reducer import input_content
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.stream_state import StreamState

_UNBOUNDED = 2**63

REFUSALS = (
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    DowngradeNotSupportedError,
    UpgradeFailedError,
    UpgradePreconditionFailedError,
)
"""What the state of scope `document` refuses an action for."""


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
        self,
        base: StreamState,
        operation: Operation,
        stream: Stream,
        document: Document | None,
        *,
        is_checked: bool = True,
    ) -> StreamState:
        """The state after one stored operation. A recorded error is honoured, never re-decided.

        CorruptHistory on a gap, HashMismatch when the model gives another state than recorded,
        ReducerTimeout when it takes too long. Unchecked, the operation may have been recorded on
        another state than `base`: what it gives is taken as it is, and what fails changes nothing.
        """
        if operation.index != base.label + 1:
            raise CorruptHistoryError(
                f"{stream.prefix}: expected operation {base.label + 1}, found {operation.index}"
            )
        is_checked = is_checked and not self._is_accepted(stream, operation.index)
        if operation.error is not None:
            state = base._replace(label=operation.index)
        elif is_checked:
            state, error = self._reduce(base, operation, stream, document)
            if error is not None:
                raise _mismatch(stream, operation, error)
        else:
            try:
                state, _ = self._reduce(base, operation, stream, document)
            except (*WRONG_ACTION, *REFUSALS):
                state = base._replace(label=operation.index)
        if is_checked:
            self.check(state, operation, stream)
        return state

    def check(self, state: StreamState, operation: Operation, stream: Stream) -> None:
        """HashMismatch unless the operation recorded this state."""
        if state.hash != operation.hash and not self._is_accepted(stream, operation.index):
            raise _mismatch(stream, operation, state.hash)

    def _is_accepted(self, stream: Stream, index: int) -> bool:
        accepted = self._registry.accepted
        return bool(accepted) and index <= accepted.get(stream, -1)

    def _reduce(
        self, base: StreamState, operation: Operation, stream: Stream, document: Document | None
    ) -> tuple[StreamState, str | None]:
        action = operation.action
        if stream.scope == DOCUMENT_SCOPE:
            state = reduce_document(
                base, action.type, action.input, action.timestamp, action.id, stream
            )
            return state, None
        if document is None:
            raise CorruptHistoryError(f"{stream.prefix}: an operation without a creation")
        context = Context(
            action.timestamp,
            action.id,
            signer_of(action.context),
            document.origin,
        )
        return reduce(
            self._registry.model(document.document_type),
            base,
            stream.scope,
            action.type,
            input_content(action.input),
            context,
            document=document,
            version=operation.version,
            document_bytes_max=_UNBOUNDED,
            bound=self._bound,
        )

    def newest_version(self, document: Document) -> int:
        """The newest version that is known here of the document's model."""
        return self._registry.model(document.document_type).version

    def check_transition(self, stream: Stream, state: StreamState, document: Document) -> None:
        """UpgradeFailed unless the state can be had in the document's version."""
        model = self._registry.model(document.document_type)
        try:
            migrated(model, state, stream.scope, document, document.version)
        except (UnknownModelError, UpgradeFailedError):
            raise
        except Exception as cause:
            raise UpgradeFailedError(
                document.document_type,
                to_version=document.version,
                scope=stream.scope,
                cause=cause,
            ) from cause

    def shown(self, stream: Stream, state: StreamState, document: Document) -> StreamState:
        """The state as the document's version has it; as it is where a transition fails."""
        if stream.scope == DOCUMENT_SCOPE or state.version >= document.version:
            return state
        model = self._registry.model(document.document_type)
        try:
            with self._bound.deadline:
                return migrated(model, state, stream.scope, document, document.version)
        except UnknownModelError:
            raise
        except (DeadlinePassed, Exception):  # noqa: BLE001  an author's transition may do anything
            return state

    def encode(self, stream: Stream, state: StreamState, document_type: str) -> bytes:
        """The form of a keyframe and of a table's row."""
        content: Any = orjson.Fragment(state.content)
        if stream.scope == DOCUMENT_SCOPE:
            content = state.state.model_dump()
        row = {
            "hash": state.hash,
            "label": state.label,
            "model": document_type,
            "state": content,
            "version": state.version,
        }
        if state.facts:
            row["facts"] = write_facts(state.facts)
        return encode(row)

    def decode(self, stream: Stream, content: bytes) -> StreamState:
        """The inverse of `encode`. UndecodableRecord when it is not what its own hash says.

        UnknownModel where its version is not here: that says nothing about the record.
        """
        try:
            row = orjson.loads(content)
            label, version, hashed = row["label"], row["version"], row["hash"]
            facts = read_facts(row.get("facts") or {})
            if stream.scope == DOCUMENT_SCOPE:
                document = Document.model_validate(row["state"])
                state, text = document, encode(document.state)
            else:
                model = self._registry.model(row["model"])
                state = model.read(version, stream.scope, encode(row["state"]))
                text = model.write(version, stream.scope, state)
        except UnknownModelError:
            raise
        except (ValueError, KeyError, TypeError, ReactorError) as cause:
            raise UndecodableRecordError(f"{stream.prefix}: {cause}") from cause
        if digest(text) != hashed:
            raise UndecodableRecordError(f"{stream.prefix}{label}: not the state of its hash")
        return StreamState(label, version, state, text, hashed, facts)


def _mismatch(stream: Stream, operation: Operation, actual: str) -> HashMismatchError:
    return HashMismatchError(
        stream.document_id,
        key=f"{stream.prefix}{operation.index}",
        expected=operation.hash,
        actual=actual,
    )
