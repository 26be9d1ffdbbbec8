"""Keeps the documents table of one partition: reduces again from the log, checks every hash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import perf_counter

from docreactor.agents.deadline import Deadline, DeadlinePassed
from docreactor.agents.log import LogRecord
from docreactor.agents.metrics import Metrics
from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    HashMismatchError,
    InvalidInputError,
    ReducerTimeoutError,
    UndecodableRecordError,
    UnknownActionError,
    UnknownFormatError,
)
from docreactor.pipeline.keys import Stream, parse_record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.position import Offset
from docreactor.pipeline.problem import problem
from docreactor.pipeline.record import check_format
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.documents import DocumentsStage, DocumentsTable
from docreactor.tables.lru import Lru

_STRETCH_S = 0.02

_OF_THE_DOCUMENT = (
    CorruptHistoryError,
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    HashMismatchError,
    InvalidInputError,
    ReducerTimeoutError,
    UndecodableRecordError,
    UnknownActionError,
    UnknownFormatError,
)
"""What quarantines one document. Anything else is a failure of the place and stops the view: a
model that is not loaded is one, because naming it cures it."""


class ViewAgent:
    """One partition's view. A document that cannot be applied is set aside; the others go on."""

    def __init__(
        self,
        table: DocumentsTable,
        replay: Replay,
        settings: Settings,
        *,
        topic: str,
        deadline: Deadline,
        metrics: Metrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._table = table
        self._replay = replay
        self._settings = settings
        self._topic = topic
        self._deadline = deadline
        self._metrics = metrics
        self._now_ms = now_ms
        self._states: Lru[Stream, StreamState] = Lru(settings.cache_documents_max)

    async def apply(self, records: Sequence[LogRecord], next_offset: Offset) -> None:
        """Write the rows of these operations and the position after them, in one write."""
        stage = self._table.stage()
        states: dict[Stream, StreamState] = {}
        since = perf_counter()
        for record in records:
            self._one(record, stage, states)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        rows = stage.rows()
        self._table.store.write(rows, {self._topic: next_offset}, now_ms=self._now_ms())
        for stream, state in states.items():
            self._states.put(stream, state)
        self._metrics.viewed.inc(len(records))

    def _one(
        self, record: LogRecord, stage: DocumentsStage, states: dict[Stream, StreamState]
    ) -> None:
        try:
            stream, _ = parse_record_key(record.key or b"")
        except ValueError:
            self._metrics.errors.labels("UndecodableRecord").inc()
            return
        if stage.is_quarantined(stream.document_id):
            return
        try:
            check_format(record.headers, f"{self._topic} {record.offset}")
            operation = Operation.decode(record.value or b"")
            self._advance(stream, operation, stage, states)
        except _OF_THE_DOCUMENT as error:
            self._metrics.errors.labels(error.name()).inc()
            stage.quarantine(stream.document_id, problem(error))

    def _advance(
        self,
        stream: Stream,
        operation: Operation,
        stage: DocumentsStage,
        states: dict[Stream, StreamState],
    ) -> None:
        home = Stream(stream.document_id, DOCUMENT_SCOPE, stream.branch)
        at_home = self._state(home, states)
        document: Document | None = at_home.state
        base = at_home
        if stream.scope != DOCUMENT_SCOPE:
            base = self._state(stream, states, document)
        try:
            with self._deadline:
                state = self._replay.advance(base, operation, stream, document)
        except DeadlinePassed:
            raise ReducerTimeoutError(
                operation.action.type, self._settings.reducer_timeout_ms
            ) from None
        states[stream] = state
        stage.add(stream, state, operation.timestamp, operation.document_type)

    def _state(
        self,
        stream: Stream,
        states: dict[Stream, StreamState],
        document: Document | None = None,
    ) -> StreamState:
        known = states.get(stream) or self._states.get(stream)
        if known is None:
            content = self._table.row(stream)
            if content is None:
                known = self._replay.origin(stream, document)
            else:
                known = self._replay.decode(stream, content)
            states[stream] = known
        return known

    def forget(self) -> None:
        """Drop the cached states: the next batch reads them from the table."""
        self._states.clear()
