"""Puts one action at the end of a stream: its state, its operation, its keyframe."""

from __future__ import annotations

from typing import NamedTuple

from orjson import Fragment

from docreactor.agents.log import Entry
from docreactor.agents.staging import Known, Staging, StreamStage
from docreactor.pipeline.action import DOCUMENT_SCOPE, Action
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.canonical import decode, digest, encode
from docreactor.pipeline.context import Context, signer_of
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    DocumentNotFoundError,
    DocumentTooLargeError,
    InvalidInputError,
)
from docreactor.pipeline.header import write_facts
from docreactor.pipeline.ids import operation_id
from docreactor.pipeline.job import Incoming
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.record import HEADERS, Headers
from docreactor.pipeline.reduce import NOTHING, origin, reduce, reduce_document, sentence
from docreactor.pipeline.reducer import input_content
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import Head, operation_rows
from docreactor.tables.operations import action_key as key_of_action

_PURITY_EVERY = 100
MOVED: Headers = (*HEADERS, ("moved", b"1"))
"""What marks the record of an operation that was stored before, at another index."""


class Placed(NamedTuple):
    """An action with its time, and the key of its row, None for one stored before.

    `incoming` is what a load brought, and `source` where that came from.
    """

    action: Action | StoredAction
    moment: Microseconds
    key: bytes | None
    incoming: Incoming | None = None
    source: str | None = None


class Placement:
    """Reduces actions and stages what each writes. Raises the named refusal."""

    def __init__(
        self, registry: Registry, settings: Settings, keyframes: Keyframes, *, bound: Bound
    ) -> None:
        self._registry = registry
        self._replay = Replay(registry)
        self._settings = settings
        self._keyframes = keyframes
        self._bound = bound
        self._reduced = 0

    def append(self, placed: Placed, stage: StreamStage, staging: Staging) -> None:
        """Reduce one action on the stream's newest state and stage its operation."""
        action = placed.action
        timestamp, input = render(placed.moment), input_content(action.input)
        state, error = self.reduce(action, input, timestamp, stage)
        self.stage(placed, timestamp, input, state, error, stage, staging)

    def stage(
        self,
        placed: Placed,
        timestamp: str,
        input: bytes,
        state: StreamState,
        error: str | None,
        stage: StreamStage,
        staging: Staging,
        *,
        skip: int = 0,
    ) -> None:
        """Stage the operation of an action that was reduced to this state or error.

        `timestamp` is its moment as text.
        """
        action, moment, action_key, _, source = placed
        head, stream = stage.head, stage.stream
        stage.state = state
        document = stage.document
        assert document is not None, "reducing gave the document, or refused"
        index = head.next_index
        content = _content(action, timestamp, input, state, error, stage, skip)
        record_key = b"%b%010d" % (stage.prefix, index)
        headers = MOVED if action_key is None else HEADERS
        if source is not None:
            headers = (*headers, ("source", source.encode()))
        staging.operations.append(Entry(record_key, content, headers))
        staging.placed.append(action_key)
        row_key = action_key or key_of_action(stream, action.id)
        staging.rows += operation_rows(record_key, row_key, index, content)
        stage.staged.append(content)
        if action_key is not None:
            staging.known[action_key] = Known(action, timestamp)
        label, size = head.keyframe_label, head.bytes_since_keyframe + len(content)
        if self._keyframes.due(index, label, size, len(state.content)):
            kept = self._replay.encode(stream, state, document.document_type)
            staging.keep(stream, index, kept)
            label, size = index, 0
        latest_us = max(moment, head.latest_us)
        stage.head = Head(index + 1, latest_us, digest(content), label, size)

    def reduce(
        self, action: Action | StoredAction, input: bytes, timestamp: str, stage: StreamStage
    ) -> tuple[StreamState, str | None]:
        """The state after the action, and its error."""
        stream = stage.stream
        if action.scope != stream.scope:
            raise InvalidInputError("scope", f"must be the job's own {stream.scope}")
        if stream.scope == DOCUMENT_SCOPE:
            base = stage.state or NOTHING
            # Decoded again: an error must not tell in which order the fields were sent.
            given = decode(input)
            state = reduce_document(base, action.type, given, timestamp, action.id, stream)
            if state.state is not base.state:
                self._check_given(state.state)
            size = _told_bytes(base, state)
            limit = self._settings.document_bytes_max
            if base is not NOTHING and size > limit:
                error = DocumentTooLargeError(limit=limit, actual=size)
                return base._replace(label=base.label + 1), sentence(error)
            return state, None
        document = stage.document
        if document is None:
            raise DocumentNotFoundError(stream.document_id, stream.branch)
        model = self._registry.model(document.document_type)
        base = stage.state or origin(model, stream.scope, document)
        settings = self._settings
        self._reduced += 1
        return reduce(
            model,
            base,
            stream.scope,
            action.type,
            input,
            Context(timestamp, action.id, signer_of(action.context), document.origin),
            document=document,
            version=document.version_at(timestamp),
            document_bytes_max=settings.document_bytes_max,
            bound=self._bound,
            check_purity=settings.check_purity or self._reduced % _PURITY_EVERY == 0,
        )

    def _check_given(self, document: Document) -> None:
        """A state that no model accepts must not seed a document."""
        model = self._registry.model(document.document_type)
        if document.upgrades:
            newest = document.upgrades[-1]
            for scope, state in newest.initial_state.items():
                model.initial(newest.to_version, scope, state)
            model.rules(newest.to_version, DOCUMENT_SCOPE)


def _told_bytes(base: StreamState, state: StreamState) -> int:
    """How large that is which an action has changed of what a document's own stream keeps."""
    size = 0
    if state.facts is not base.facts:
        size += len(encode(write_facts(state.facts)))
    if state.state is not base.state:
        size += len(encode(state.state.model_dump()))
    return size


def decided_under(state: StreamState, stage: StreamStage, timestamp: str) -> int:
    """The version of an operation that led to this state, or failed and left it."""
    document = stage.document
    if document is None or stage.home is stage:
        return state.version
    return max(state.version, document.version_at(timestamp))


def _content(
    action: Action | StoredAction,
    timestamp: str,
    input: bytes,
    state: StreamState,
    error: str | None,
    stage: StreamStage,
    skip: int,
) -> bytes:
    """The stored bytes of an operation. InvalidInput for what JSON cannot say."""
    document = stage.document
    assert document is not None, "reducing gave the document, or refused"
    try:
        # Keys in order already: sorting them again costs little.
        return encode(
            {
                "action": {
                    "context": action.context,
                    "id": action.id,
                    "input": Fragment(input),
                    "scope": action.scope,
                    "timestamp": timestamp,
                    "type": action.type,
                },
                "document_type": document.document_type,
                "error": error,
                "hash": state.hash,
                "id": operation_id(*stage.stream, action.id),
                "index": stage.head.next_index,
                "previous": stage.head.previous,
                "skip": skip,
                "timestamp": timestamp,
                "version": decided_under(state, stage, timestamp),
            }
        )
    except TypeError as cause:
        raise InvalidInputError("context", f"is not JSON: {cause}") from cause
