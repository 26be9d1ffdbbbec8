"""Puts one action into its place of a stream: its time, its state, its operation."""

from __future__ import annotations

from collections.abc import Callable

from docreactor.agents.deadline import Deadline, DeadlinePassed
from docreactor.agents.log import Entry
from docreactor.agents.staging import JobStage
from docreactor.agents.stamp import stamp
from docreactor.pipeline.action import DOCUMENT_SCOPE, Action
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.context import Context
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    DocumentNotFoundError,
    InvalidInputError,
    ReducerTimeoutError,
)
from docreactor.pipeline.ids import operation_id
from docreactor.pipeline.keys import record_key
from docreactor.pipeline.reduce import origin, reduce, reduce_document
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import Head, OperationsTable

_PURITY_EVERY = 100


class Placement:
    """Reduces actions one by one and stages what each writes. Raises the named refusal."""

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        operations: OperationsTable,
        keyframes: Keyframes,
        *,
        deadline: Deadline,
        now_us: Callable[[], Microseconds],
    ) -> None:
        self._registry = registry
        self._replay = Replay(registry)
        self._settings = settings
        self._operations = operations
        self._keyframes = keyframes
        self._deadline = deadline
        self._now_us = now_us
        self._reduced = 0

    def place(self, action: Action, stage: JobStage) -> None:
        """Reduce one action and stage its operation."""
        head, stream = stage.head, stage.stream
        moment = stamp(
            action.timestamp,
            self._now_us(),
            newest_us=head.latest_us,
            skew_max_ms=self._settings.clock_skew_max_ms,
        )
        timestamp = render(moment)
        state, error = self._reduce(action, timestamp, stage)
        document = stage.document
        assert document is not None, "reducing gave the document, or refused"
        stage.state = state
        index = head.next_index
        # Keys in order already: sorting them again costs little.
        content = encode(
            {
                "action": {
                    "context": action.context,
                    "id": action.id,
                    "input": action.input,
                    "scope": action.scope,
                    "timestamp": timestamp,
                    "type": action.type,
                },
                "document_type": document.document_type,
                "error": error,
                "hash": state.hash,
                "id": operation_id(*stream, action.id),
                "index": index,
                "previous": head.previous,
                "skip": 0,
                "timestamp": timestamp,
            }
        )
        key = record_key(stream, index)
        stage.operations.append(Entry(key, content))
        stage.rows += self._operations.operation_rows(key, index, action.id, content)
        stage.actions.append((action, timestamp))
        stage.head = self._keyframe(
            Head(
                index + 1,
                moment,
                digest(content),
                head.keyframe_label,
                head.bytes_since_keyframe + len(content),
            ),
            stage,
        )

    def _reduce(
        self, action: Action, timestamp: str, stage: JobStage
    ) -> tuple[StreamState, str | None]:
        stream = stage.stream
        if action.scope != stream.scope:
            raise InvalidInputError("scope", f"must be the job's own {stream.scope}")
        if stream.scope == DOCUMENT_SCOPE:
            state = reduce_document(stage.state, action.type, action.input, timestamp, stream)
            stage.document = state.state
            self._check_initial(state.state)
            return state, None
        document = stage.document
        if document is None:
            raise DocumentNotFoundError(stream.document_id, stream.branch)
        signer = action.context.get("signer") if action.context else None
        settings = self._settings
        self._reduced += 1
        try:
            with self._deadline:
                return reduce(
                    self._registry.model(document.document_type),
                    stage.state,
                    stream.scope,
                    action.type,
                    action.input,
                    Context(timestamp, action.id, signer, document.origin),
                    document_bytes_max=settings.document_bytes_max,
                    check_purity=settings.check_purity or self._reduced % _PURITY_EVERY == 0,
                )
        except DeadlinePassed:
            raise ReducerTimeoutError(action.type, settings.reducer_timeout_ms) from None

    def _check_initial(self, document: Document) -> None:
        """A state that no model accepts must not seed a document."""
        model = self._registry.model(document.document_type)
        if document.version:
            for scope in document.initial_state:
                origin(model, scope, document)

    def _keyframe(self, head: Head, stage: JobStage) -> Head:
        keyframes, label = self._keyframes, head.next_index - 1
        if stage.document is None or not keyframes.due(head, len(stage.state.content), label):
            return head
        content = self._replay.encode(stage.stream, stage.state, stage.document.document_type)
        stage.keyframes.append((label, content))
        return Head(head.next_index, head.latest_us, head.previous, label, 0)
