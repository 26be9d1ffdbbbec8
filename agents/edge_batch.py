"""What a batch of operations makes of the edges of one partition, and what it publishes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

from docreactor.agents.edge_fold import fold_edges
from docreactor.agents.edge_record import (
    change_entry,
    erased_entry,
    position_entry,
    quarantine_entry,
)
from docreactor.agents.log import Entry, LogRecord
from docreactor.agents.metrics import Metrics
from docreactor.agents.projection import Stored
from docreactor.pipeline.accepted import Accepted, accepted_document
from docreactor.pipeline.action import DOCUMENT_SCOPE, MARKERS, RELATIONSHIP_ACTIONS
from docreactor.pipeline.edge import Edge, EdgeKey
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    InvalidInputError,
    ReactorError,
    UndecodableRecordError,
    UnknownFormatError,
)
from docreactor.pipeline.keys import Stream, parse_record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.position import Offset
from docreactor.pipeline.problem import problem
from docreactor.pipeline.record import HEADERS, check_format
from docreactor.tables.edges import EdgesTable
from docreactor.tables.operations import OperationsTable
from docreactor.tables.store import AnyRow

_STRETCH_S = 0.02
_IN_SCOPE = f"/{DOCUMENT_SCOPE}/".encode()
_OTHER = b"/"
_ZERO, _NINE = b"09"

OF_THE_DOCUMENT = (
    CorruptHistoryError,
    InvalidInputError,
    UndecodableRecordError,
    UnknownFormatError,
)
"""What sets one document aside: the same bytes give it again, so nothing is tried twice."""


class _Target(NamedTuple):
    """Up to which operation a stream is to be folded, and which record of the log that is."""

    label: int
    offset: int


def concerning(records: Sequence[LogRecord]) -> list[LogRecord]:
    """Those that may say something about edges; few keys but operations' end in no digit."""
    return [
        record
        for record in records
        if (key := record.key or _OTHER).find(_IN_SCOPE) > 0 or not _ZERO <= key[-1] <= _NINE
    ]


class EdgeBatch:
    """One batch: each edge is published and written once. Dropped, it leaves no trace."""

    def __init__(
        self, table: EdgesTable, operations: OperationsTable, metrics: Metrics, *, topic: str
    ) -> None:
        self._table = table
        self._operations = operations
        self._metrics = metrics
        self._topic = topic
        self._stage = table.stage()
        self._targets: dict[Stream, _Target] = {}
        self._asides: dict[str, dict[str, Any] | None] = {}
        self._is_touched = False

    async def take(self, records: Sequence[LogRecord], stored: Stored) -> None:
        """Take what concerns edges, in the log's order. The loop gets its turn."""
        self.look_up({(one.key or b"").partition(b"/")[0] for one in records})
        since = perf_counter()
        for record in records:
            self._add(record)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        if self._targets:
            await stored(max(target.offset for target in self._targets.values()) + 1)
        for stream, target in self._targets.items():
            await self._fold(stream, target.label)

    def look_up(self, document_ids: Iterable[bytes]) -> None:
        """Find out which of these documents are set aside."""
        known = [one.decode(errors="replace") for one in document_ids]
        self._stage.look_up(known)

    async def derive(self, document_id: str, labels: Mapping[Stream, int]) -> None:
        """Have the document just those edges that its streams give up to these labels.

        If it was set aside, it is taken back.
        """
        self.release(document_id)
        for branch in self._table.branches(document_id):
            if Stream(document_id, DOCUMENT_SCOPE, branch) not in labels:
                await self._stage.replace(document_id, branch, {})
        for stream, label in labels.items():
            await self._fold(stream, label)

    def release(self, document_id: str) -> None:
        """Take a document back, with the edges that it has, if it was set aside."""
        if self._stage.is_quarantined(document_id):
            self._stage.release(document_id)
            self._asides[document_id] = None

    async def entries(self, position: Offset, *, is_due: bool = False) -> list[Entry]:
        """What is to be published; nothing when no edge was touched and no position is due.

        An edge that came and went is not told of, but that it did has its position: nobody who
        goes on from there meets it again. The loop gets its turn.
        """
        entries = [erased_entry(one) for one in sorted(self._stage.erased)]
        since = perf_counter()
        for change in self._stage.changes():
            entries.append(change_entry(change))
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        entries += [quarantine_entry(*one) for one in self._asides.items()]
        if entries or self._is_touched or is_due:
            entries.append(position_entry(position))
        return entries

    def rows(self) -> Iterator[AnyRow]:
        """Everything that the batch writes, in parts or at once."""
        return self._stage.rows()

    @property
    def erased(self) -> set[str]:
        """The documents of which it leaves nothing."""
        return self._stage.erased

    def _add(self, record: LogRecord) -> None:
        key = record.key or b""
        erased = erased_document(key)
        if erased is not None:
            if record.value is not None:
                self._erase(erased)
            return
        accepted = accepted_document(key)
        if accepted is not None:
            self._accept(accepted, record)
            return
        try:
            stream, _ = parse_record_key(key)
        except ValueError:
            return
        if stream.scope != DOCUMENT_SCOPE or record.value is None:
            return
        if self._stage.is_quarantined(stream.document_id):
            return
        try:
            if record.headers != HEADERS:
                check_format(record.headers, f"{self._topic} {record.offset}")
            self._operation(Operation.decode(record.value), stream, record.offset)
        except OF_THE_DOCUMENT as error:
            self._set_aside(stream.document_id, error)

    def _operation(self, operation: Operation, stream: Stream, offset: int) -> None:
        has_error, action_type = operation.error is not None, operation.action.type
        if operation.skip or stream in self._targets or (action_type in MARKERS and not has_error):
            # Whatever came before: the last of the batch says up to where it is folded.
            self._targets[stream] = _Target(operation.index, offset)
            self._is_touched = True
        elif (
            action_type in RELATIONSHIP_ACTIONS
            and not has_error
            and self._operations.erased(stream.document_id) is None
        ):
            self._stage.apply(operation, stream.branch)
            self._is_touched = True

    def _erase(self, document_id: str) -> None:
        for stream in [one for one in self._targets if one.document_id == document_id]:
            del self._targets[stream]
        if self._stage.is_quarantined(document_id):
            self._asides[document_id] = None
        self._stage.erase(document_id)

    def _accept(self, document_id: str, record: LogRecord) -> None:
        """A document that was set aside is derived again."""
        if record.value is None or not self._stage.is_quarantined(document_id):
            return
        try:
            labels = Accepted.decode(record.value).streams
        except UndecodableRecordError as error:
            self._set_aside(document_id, error)
            return
        self.release(document_id)
        for stream, label in labels.items():
            if stream.scope == DOCUMENT_SCOPE:
                self._targets[stream] = _Target(label, record.offset)

    async def _fold(self, stream: Stream, label: int) -> None:
        document_id = stream.document_id
        try:
            after: Mapping[EdgeKey, Edge] = await fold_edges(self._operations, stream, label)
            await self._stage.replace(document_id, stream.branch, after)
        except OF_THE_DOCUMENT as error:
            # An erased one has no history: the record that says so follows.
            if self._operations.erased(document_id) is None:
                self._set_aside(document_id, error)

    def _set_aside(self, document_id: str, error: ReactorError) -> None:
        self._metrics.errors.labels(error.name()).inc()
        self._asides[document_id] = problem(error)
        self._stage.quarantine(document_id, problem(error))
