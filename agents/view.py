"""Keeps the documents table of one partition: reduces again from the log, checks every hash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

from docreactor.agents.compaction import compact
from docreactor.agents.log import LogRecord
from docreactor.agents.metrics import Metrics
from docreactor.agents.projection import Stored
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.accepted import Accepted, accepted_document
from docreactor.pipeline.action import MARKERS
from docreactor.pipeline.document import Document
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    HashMismatchError,
    ReducerTimeoutError,
    ReducerTooDeepError,
    UndecodableRecordError,
    UnknownFormatError,
)
from docreactor.pipeline.keys import INDEX_DIGITS, Stream, parse_record_key, stream_prefix
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.position import Offset
from docreactor.pipeline.problem import problem
from docreactor.pipeline.record import HEADERS, check_format
from docreactor.pipeline.reduce import WRONG_ACTION
from docreactor.pipeline.replay import REFUSALS, Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.documents import DocumentsStage, DocumentsTable
from docreactor.tables.leaps import Leap
from docreactor.tables.lru import Lru
from docreactor.tables.rebuild import Rebuild
from docreactor.tables.trails import Trails

_STRETCH_S = 0.02
_ANY_INDEX = b"0" * INDEX_DIGITS

OF_THE_DOCUMENT = (
    CorruptHistoryError,
    HashMismatchError,
    ReducerTimeoutError,
    ReducerTooDeepError,
    UndecodableRecordError,
    UnknownFormatError,
    *WRONG_ACTION,
    *REFUSALS,
)
"""What quarantines one document. All else is of the place: a lacking model too, for it may come."""


class _Shown:
    """What a batch does to one stream: its state so far and its newest time, "" while untouched.

    `home` is the document's own stream, None for that one itself.
    """

    __slots__ = ("document_type", "home", "latest", "state", "stream")

    def __init__(self, stream: Stream, home: _Shown | None, state: StreamState | None) -> None:
        self.stream = stream
        self.home = home
        self.state = state
        self.latest = ""
        self.document_type = ""

    def told(self, state: StreamState, operation: Operation) -> None:
        """What the stream shows after an operation."""
        self.state = state
        self.latest = max(self.latest, operation.timestamp)
        self.document_type = operation.document_type


class ViewAgent:
    """One partition's view. A document that cannot be applied is set aside; the others go on."""

    def __init__(
        self,
        table: DocumentsTable,
        replay: Replay,
        settings: Settings,
        write: WriteTables,
        *,
        topic: str,
        metrics: Metrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._table = table
        self._replay = replay
        self._operations = write.operations
        self._again = Rebuild(replay, write.operations, write.keyframes)
        self._topic = topic
        self._metrics = metrics
        self._now_ms = now_ms
        self._states: Lru[Stream, StreamState] = Lru(settings.cache_documents_max)
        self._trails = Trails()

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored | None = None
    ) -> None:
        """Write the rows of these operations and the position after them, in one write.

        The operation store holds them already, or `stored` waits for it.
        """
        stage = self._table.stage()
        self._trails = Trails()
        shown = self._open(records, stage)
        since = perf_counter()
        for record in records:
            await self._one(record, shown, stage, stored)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        self._add(stage, shown)
        stage.pass_over(next_offset)
        rows = stage.rows()
        if perf_counter() - since > _STRETCH_S:
            await asyncio.sleep(0)
        self._table.store.write(rows, {self._topic: next_offset}, now_ms=self._now_ms())
        await compact(self._table.store, stage.erased)
        self._keep(shown)
        self._metrics.viewed.inc(len(records))

    def _open(self, records: Sequence[LogRecord], stage: DocumentsStage) -> dict[bytes, _Shown]:
        """Every stream that the records are of, by the prefix of its keys."""
        shown: dict[bytes, _Shown] = {}
        for prefix in dict.fromkeys([stream_prefix(record.key or b"") for record in records]):
            try:
                stream, _ = parse_record_key(prefix + _ANY_INDEX)
            except ValueError:
                continue
            self._shown(prefix, stream, shown)
        stage.look_up({one.stream.document_id for one in shown.values()})
        return shown

    def _shown(self, prefix: bytes, stream: Stream, shown: dict[bytes, _Shown]) -> _Shown:
        one = shown.get(prefix)
        if one is None:
            at_home = stream.home
            home = None
            if at_home != stream:
                home = self._shown(at_home.prefix.encode(), at_home, shown)
            one = shown[prefix] = _Shown(stream, home, self._states.get(stream))
        return one

    async def _one(
        self,
        record: LogRecord,
        shown: dict[bytes, _Shown],
        stage: DocumentsStage,
        stored: Stored | None,
    ) -> None:
        key = record.key or b""
        erased = erased_document(key)
        if erased is not None and record.value is not None:
            self._erase(erased, shown, stage)
            return
        if accepted_document(key) is not None:
            await self._accepted(record, shown, stage, stored)
            return
        one = shown.get(stream_prefix(key))
        if one is not None and record.value is None:
            # The record that says so follows: nothing is left of the document then.
            return
        if one is None or not key[-INDEX_DIGITS:].isdigit():
            self._metrics.errors.labels("UndecodableRecord").inc()
            return
        document_id = one.stream.document_id
        if stage.is_quarantined(document_id) or stage.is_ahead(document_id, record.offset):
            return
        try:
            # Only the rare record that is refused is worth the text of where it lies.
            if record.headers != HEADERS:
                check_format(record.headers, f"{self._topic} {record.offset}")
            operation = Operation.decode(record.value or b"")
            if operation.skip or (operation.action.type in MARKERS and operation.error is None):
                if stored is not None:
                    await stored(record.offset + 1)
                await self._rebuild(one, operation)
            else:
                self._advance(one, operation)
        except OF_THE_DOCUMENT as error:
            self._metrics.errors.labels(error.name()).inc()
            stage.quarantine(document_id, problem(error))

    async def _accepted(
        self,
        record: LogRecord,
        shown: dict[bytes, _Shown],
        stage: DocumentsStage,
        stored: Stored | None,
    ) -> None:
        """Derive a document's rows again, as the present model has them."""
        if record.value is None:
            return
        accepted = Accepted.decode(record.value)
        stage.look_up([accepted.document_id])
        if stage.is_ahead(accepted.document_id, record.offset):
            return
        if stored is not None:
            await stored(record.offset + 1)
        stage.release(accepted.document_id)
        try:
            for stream, label in accepted.streams.items():
                one = self._shown(stream.prefix.encode(), stream, shown)
                self._trails.remove(stream)
                operation = Operation.decode(self._operations.get(stream, label) or b"")
                await self._rebuild(one, operation)
        except OF_THE_DOCUMENT as error:
            self._metrics.errors.labels(error.name()).inc()
            stage.quarantine(accepted.document_id, problem(error))

    def _erase(self, document_id: str, shown: dict[bytes, _Shown], stage: DocumentsStage) -> None:
        """Forget all that was shown of a document, in this batch or before."""
        stage.erase(document_id)
        for one in shown.values():
            if one.stream.document_id == document_id:
                one.state, one.latest = None, ""
                self._trails.remove(one.stream)
        for stream in [one for one in self._states if one.document_id == document_id]:
            self._states.remove(stream)

    def _advance(self, one: _Shown, operation: Operation) -> None:
        document = self._document(one)
        base = one.state
        if base is None:
            base = self._stored(one.stream, document)
        state = self._replay.advance(base, operation, one.stream, document)
        if self._trails and self._trails.has(one.stream):
            leap = None if operation.error is None else Leap(base.label)
            self._trails.add(one.stream, state, leap)
        one.told(state, operation)

    async def _rebuild(self, one: _Shown, operation: Operation) -> None:
        """The state after an operation that is not placed on the one before it."""
        document = self._document(one)
        trail = self._trails.of(one.stream)
        built = await self._again.build(one.stream, document, operation.index, [], trail=trail)
        self._trails.add(one.stream, built.state, built.leap)
        one.told(built.state, operation)

    def _document(self, one: _Shown) -> Document | None:
        home = one.home
        if home is None:
            return None
        if home.state is None:
            home.state = self._stored(home.stream, None)
        document: Document | None = home.state.state
        return document

    def _stored(self, stream: Stream, document: Document | None) -> StreamState:
        content = self._table.row(stream)
        if content is None:
            return self._replay.origin(stream, document)
        return self._replay.decode(stream, content)

    async def again(self, document_id: str, stored: Callable[[], Offset]) -> None:
        """Derive a document's rows from its operations, and take it back if it was set aside.

        All that the operation store holds is shown then: what lies below `stored`, asked now.
        """
        stage = self._table.stage()
        self._trails = Trails()
        shown: dict[bytes, _Shown] = {}
        stage.release(document_id)
        upto, streams = stored(), self._operations.streams_of(document_id)
        if streams and upto > self._table.store.positions().get(self._topic, 0):
            stage.go_ahead(document_id, upto)
        try:
            for stream, head in sorted(streams, key=lambda one: one[0] != one[0].home):
                one = self._shown(stream.prefix.encode(), stream, shown)
                content = self._operations.get(stream, head.next_index - 1)
                await self._rebuild(one, Operation.decode(content or b""))
                one.latest = render(Microseconds(head.latest_us))
        except OF_THE_DOCUMENT as error:
            self._metrics.errors.labels(error.name()).inc()
            stage.quarantine(document_id, problem(error))
        self._add(stage, shown)
        self._table.store.write(stage.rows(), {}, now_ms=self._now_ms())
        self._keep(shown)

    def _add(self, stage: DocumentsStage, shown: Mapping[bytes, _Shown]) -> None:
        for one in shown.values():
            if one.latest and one.state is not None:
                stage.add(one.stream, one.state, one.latest, one.document_type)

    def _keep(self, shown: Mapping[bytes, _Shown]) -> None:
        for one in shown.values():
            if one.state is not None:
                self._states.put(one.stream, one.state)

    def forget(self) -> None:
        """Drop the cached states: the next batch reads them from the table."""
        self._states.clear()
