"""Puts one action into its place of a stream: its time, its state, its operation."""

from __future__ import annotations

from collections.abc import Callable

from orjson import Fragment

from docreactor.agents.log import Entry
from docreactor.agents.staging import Known, Staging, StreamStage
from docreactor.agents.stamp import stamp
from docreactor.pipeline.action import DOCUMENT_SCOPE, Action
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.context import Context
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    DocumentNotFoundError,
    InvalidInputError,
)
from docreactor.pipeline.ids import operation_id
from docreactor.pipeline.reduce import NOTHING, origin, reduce, reduce_document
from docreactor.pipeline.reducer import input_content
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import Head, operation_rows

_PURITY_EVERY = 100


class Placement:
    """Reduces actions one by one and stages what each writes. Raises the named refusal."""

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        keyframes: Keyframes,
        *,
        bound: Bound,
        now_us: Callable[[], Microseconds],
    ) -> None:
        self._registry = registry
        self._replay = Replay(registry)
        self._settings = settings
        self._keyframes = keyframes
        self._bound = bound
        self._now_us = now_us
        self._reduced = 0

    def place(self, action: Action, key: bytes, stage: StreamStage, staging: Staging) -> None:
        """Reduce one action, whose row has this key, and stage its operation."""
        head, stream = stage.head, stage.stream
        skew_max_ms = self._settings.clock_skew_max_ms
        moment = stamp(
            action.timestamp, self._now_us(), newest_us=head.latest_us, skew_max_ms=skew_max_ms
        )
        timestamp = render(moment)
        input = input_content(action.input)
        state, error = self._reduce(action, input, timestamp, stage)
        stage.state = state
        document = stage.document
        assert document is not None, "reducing gave the document, or refused"
        index = head.next_index
        try:
            # Keys in order already: sorting them again costs little.
            content = encode(
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
                    "id": operation_id(*stream, action.id),
                    "index": index,
                    "previous": head.previous,
                    "skip": 0,
                    "timestamp": timestamp,
                    "version": state.version,
                }
            )
        except TypeError as cause:
            raise InvalidInputError("context", f"is not JSON: {cause}") from cause
        record_key = b"%b%010d" % (stage.prefix, index)
        staging.operations.append(Entry(record_key, content))
        staging.placed.append(key)
        staging.rows += operation_rows(record_key, key, index, content)
        staging.known[key] = Known(action, timestamp)
        label, size = head.keyframe_label, head.bytes_since_keyframe + len(content)
        if self._keyframes.due(index, label, size, len(state.content)):
            kept = self._replay.encode(stream, state, document.document_type)
            staging.keep(stream, index, kept)
            label, size = index, 0
        stage.head = Head(index + 1, moment, digest(content), label, size)

    def _reduce(
        self, action: Action, input: bytes, timestamp: str, stage: StreamStage
    ) -> tuple[StreamState, str | None]:
        stream = stage.stream
        if action.scope != stream.scope:
            raise InvalidInputError("scope", f"must be the job's own {stream.scope}")
        if stream.scope == DOCUMENT_SCOPE:
            base = stage.state or NOTHING
            state = reduce_document(base, action.type, action.input, timestamp, stream)
            self._check_initial(state.state)
            return state, None
        document = stage.document
        if document is None:
            raise DocumentNotFoundError(stream.document_id, stream.branch)
        model = self._registry.model(document.document_type)
        base = stage.state or origin(model, stream.scope, document)
        signer = action.context.get("signer") if action.context else None
        settings = self._settings
        self._reduced += 1
        return reduce(
            model,
            base,
            stream.scope,
            action.type,
            input,
            Context(timestamp, action.id, signer, document.origin),
            document_bytes_max=settings.document_bytes_max,
            bound=self._bound,
            check_purity=settings.check_purity or self._reduced % _PURITY_EVERY == 0,
        )

    def _check_initial(self, document: Document) -> None:
        """A state that no model accepts must not seed a document."""
        model = self._registry.model(document.document_type)
        if document.version:
            for scope in document.initial_state:
                origin(model, scope, document)
