"""What one fetch does to the rows of a read model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

from docreactor.agents.author_code import OF_THE_PLACE, AuthorCode
from docreactor.agents.change_reader import ChangeReader
from docreactor.agents.log import LogRecord
from docreactor.agents.pace import Pace
from docreactor.pipeline.accepted import Accepted, accepted_document
from docreactor.pipeline.erased import Erased, erased_document
from docreactor.pipeline.errors import ReactorError, ReadModelFailedError, UndecodableRecordError
from docreactor.pipeline.keys import Stream, parse_record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.problem import problem
from docreactor.pipeline.read_model import Change, Effect, ReadModel, wants
from docreactor.pipeline.record import HEADERS, check_format
from docreactor.tables.row_writer import RowWriter
from docreactor.tables.rows import Aside, RowsTable
from docreactor.tables.store import Row

_STRETCH_S = 0.02
_RANGES_MAX = 20
_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the batches of one read model in one partition have in common.

    `waits_s` lie between the tries of a document that fails.
    """

    model: ReadModel
    table: RowsTable
    reader: ChangeReader
    code: AuthorCode
    topic: str
    waits_s: Sequence[float]
    pace: Pace = field(default_factory=Pace)


class RowBatch:
    """Applies records in their order, and stages what that writes. Dropped, it leaves no trace.

    What fails together is applied one by one: so the document that is to blame is found, and set
    aside as what was applied of it before has left it.
    """

    def __init__(self, keeping: Keeping, *, replayed_below: int) -> None:
        self._keeping = keeping
        self._replayed_below = replayed_below
        self._stage = RowWriter(keeping.table)
        self._changes: list[Change] = []
        self._has_asides = keeping.table.has_asides()
        self._asides: dict[str, Aside | None] = {}
        self._gone: dict[str, bool] = {}
        self._remains: dict[str, Row] = {}
        self._patience_s = _PATIENCE_S
        self.failed: list[ReactorError] = []
        """What documents were set aside for, and records passed over."""
        self.applied = 0
        self.skipped = 0
        keeping.reader.begin()

    @property
    def erased(self) -> set[str]:
        """Documents whose rows are to be taken out of the store's files."""
        return set(self._remains)

    @property
    def effects(self) -> Sequence[Effect]:
        """What is to be done when the rows are written."""
        return self._stage.effects

    def rows(self, position: int) -> list[Row]:
        """Everything that it writes with the position that it leads to."""
        rows = [*self._stage.rows(), *self._remains.values()]
        for document_id, aside in self._asides.items():
            if aside is not None and (aside.problem or aside.applied_below > position):
                rows.append(aside.row(document_id))
            else:
                rows.append(Aside.none(document_id))
        return rows

    async def take(self, records: Sequence[LogRecord]) -> None:
        """Apply these records; the operation store holds them."""
        since = perf_counter()
        for record in records:
            await self._hear(record)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        await self._flush()

    async def again(self, document_id: str) -> None:
        """Apply a document from its beginning that was set aside, and take it back."""
        await self._flush()
        reader, before = self._keeping.reader, self._aside(document_id)
        reader.begin()
        below = reader.position
        writer = RowWriter(self._stage, muted=True)
        try:
            if reader.is_erased(document_id):
                change = reader.erasure(document_id, offset=below, is_replay=True)
                await self._keeping.code.apply([change], writer)
            else:
                await self._replay(document_id, below, writer)
        except OF_THE_PLACE:
            raise
        except ReactorError as error:
            self._set_aside(document_id, error, skipped=0 if before is None else before.skipped)
        else:
            self._stage.adopt(writer)
            self._asides[document_id] = Aside(None, applied_below=below)

    def release(self, document_id: str) -> None:
        """Take a document back that was set aside, as it is."""
        self._asides[document_id] = None

    async def _replay(self, document_id: str, below: int, writer: RowWriter) -> None:
        keeping, is_first = self._keeping, True
        history = keeping.reader.history(document_id)
        while some := list(islice(history, keeping.pace.count_max)):
            changes = [
                await keeping.reader.change(stream, operation, offset=below, is_replay=True)
                for stream, operation in some
                if wants(keeping.model, stream, operation.document_type)
            ]
            if changes and is_first:
                await keeping.code.forget(changes[0], writer)
                is_first = False
            if changes:
                await keeping.code.apply(changes, writer)
            await asyncio.sleep(0)

    async def _hear(self, record: LogRecord) -> None:
        try:
            of = _subject(record)
        except (ValueError, UndecodableRecordError) as error:
            self.failed.append(UndecodableRecordError(f"{self._place(record)}: {error}"))
            return
        if isinstance(of, Erased):
            await self._erase(of.document_id, record.offset)
        elif isinstance(of, Accepted):
            aside = self._aside(of.document_id)
            if aside is not None and aside.problem is not None:
                await self.again(of.document_id)
        elif (
            of is not None
            and wants(self._keeping.model, of)
            and self._is_due(of.document_id, record.offset)
        ):
            await self._hear_of_operation(of, record)

    async def _hear_of_operation(self, stream: Stream, record: LogRecord) -> None:
        keeping, is_replay = self._keeping, record.offset < self._replayed_below
        if self._changes and self._changes[0].is_replay != is_replay:
            await self._flush()
        try:
            # Only the rare record that is refused is worth the text of where it lies.
            if record.headers != HEADERS:
                check_format(record.headers, self._place(record))
            operation = Operation.decode(record.value or b"")
            if not wants(keeping.model, stream, operation.document_type):
                return
            change = await keeping.reader.change(
                stream, operation, offset=record.offset, is_replay=is_replay
            )
        except OF_THE_PLACE:
            raise
        except ReactorError as error:
            # What lies before it of the document still counts.
            await self._flush()
            self._set_aside(stream.document_id, error)
            return
        self._changes.append(change)
        if len(self._changes) >= keeping.pace.count_max:
            await self._flush()

    def _is_due(self, document_id: str, offset: int) -> bool:
        """Whether an operation of the document at this offset is to be applied."""
        aside = self._aside(document_id)
        if aside is not None:
            if aside.problem is not None:
                self.skipped += 1
                self._asides[document_id] = aside._replace(skipped=aside.skipped + 1)
                return False
            if offset < aside.applied_below:
                return False
        gone = self._gone.get(document_id)
        if gone is None:
            gone = self._gone[document_id] = self._keeping.reader.is_erased(document_id)
        return not gone

    async def _erase(self, document_id: str, offset: int) -> None:
        await self._flush()
        is_replay = offset < self._replayed_below
        change = self._keeping.reader.erasure(document_id, offset=offset, is_replay=is_replay)
        keys = await self._alone(change)
        if keys is None:
            return
        aside = Aside.none(document_id)
        self._asides[document_id] = None
        keys = sorted([*keys, aside.key])
        ranges = [(key, key + b"\0") for key in keys]
        if len(ranges) > _RANGES_MAX:
            ranges = [(keys[0], keys[-1] + b"\0")]
        self._remains[document_id] = self._keeping.table.remains.row(document_id, ranges)

    async def _flush(self) -> None:
        """Apply what waits, together if that goes well."""
        changes, self._changes = self._changes, []
        if not changes:
            return
        writer = RowWriter(self._stage, muted=changes[0].is_replay)
        since = perf_counter()
        try:
            await self._keeping.code.apply(changes, writer)
            self._keeping.pace.took(perf_counter() - since)
        except ReadModelFailedError:
            for change in changes:
                if self._is_due(change.document_id, change.offset):
                    await self._alone(change)
        else:
            self._stage.adopt(writer)
            self.applied += len(changes)

    async def _alone(self, change: Change) -> list[bytes] | None:
        """Apply one change, in three tries; the keys that it wrote, or None: it is set aside."""
        failed: ReadModelFailedError | None = None
        for wait_s in (0.0, *self._keeping.waits_s):
            wait_s = min(wait_s, self._patience_s)
            self._patience_s -= wait_s
            await asyncio.sleep(wait_s)
            if not change.erased and self._keeping.reader.is_erased(change.document_id):
                # Its states are gone with it, and so will be what was made of them.
                return []
            writer = RowWriter(self._stage, muted=change.is_replay)
            try:
                await self._keeping.code.apply([change], writer)
            except ReadModelFailedError as error:
                failed = error
            else:
                self._stage.adopt(writer)
                self.applied += 1
                return writer.keys
        assert failed is not None, "there is one try at least"
        self._set_aside(change.document_id, failed)
        return None

    def _aside(self, document_id: str) -> Aside | None:
        if document_id in self._asides:
            return self._asides[document_id]
        return self._keeping.table.aside(document_id) if self._has_asides else None

    def _set_aside(self, document_id: str, error: ReactorError, *, skipped: int = 0) -> None:
        self.failed.append(error)
        self._asides[document_id] = Aside(problem(error), skipped)

    def _place(self, record: LogRecord) -> str:
        return f"{self._keeping.topic} {record.offset}"


def _subject(record: LogRecord) -> Erased | Accepted | Stream | None:
    """What a record is of; None for one that says nothing by itself.

    Raises ValueError or UndecodableRecord.
    """
    key, value = record.key or b"", record.value
    if value is None:
        # The record that says so follows: nothing is left of the document then.
        return None
    if erased_document(key) is not None:
        return Erased.decode(value)
    if accepted_document(key) is not None:
        return Accepted.decode(value)
    return parse_record_key(key)[0]
