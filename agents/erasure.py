"""Removes every trace of a document: tombstones for its records, and one record that lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from docreactor.agents.log import Entry, LogRecord
from docreactor.agents.staging import Staging
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.accepted import accepted_key
from docreactor.pipeline.deferred import Deferred
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.pipeline.errors import (
    DocumentErasedError,
    DocumentNotFoundError,
    InvalidInputError,
    UndecodableRecordError,
)
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.job import Erasure, decode_job
from docreactor.pipeline.keys import record_key
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.deferred import DeferredTable
from docreactor.tables.jobs import JobsTable
from docreactor.tables.lasting import ranges
from docreactor.tables.remains import Range

_SIGN = b'"erasure"'
_AT_ONCE = 2_000


def erasure_of(record: LogRecord) -> Erasure | None:
    """The erasure that a record of `actions` asks for; None for every other job."""
    value = record.value
    if value is None or _SIGN not in value:
        return None
    try:
        job = decode_job(value)
    except UndecodableRecordError:
        return None
    return job if isinstance(job, Erasure) else None


def apart(records: Sequence[LogRecord]) -> Iterator[Sequence[LogRecord]]:
    """The records in their order, each erasure by itself: it finds all that came before it."""
    start = 0
    for at, record in enumerate(records):
        if erasure_of(record) is not None:
            if start < at:
                yield records[start:at]
            yield records[at : at + 1]
            start = at + 1
    if start < len(records):
        yield records[start:]


@dataclass(frozen=True, slots=True)
class Erasing:
    """Decides the erasures of one partition, each in a transaction of its own."""

    tables: WriteTables
    jobs: JobsTable
    deferred: DeferredTable
    now_us: Callable[[], Microseconds]

    async def decide(self, job: Erasure, offset: int) -> Staging:
        """What is to be written; the loop gets its turn.

        A document that was erased before stays so, and nothing is written. DocumentNotFound ends
        the job where there is neither a document nor a job that waits for one, InvalidInput one
        whose id would be read as another's.
        """
        staging = Staging(self.tables.keyframes.stage())
        document_id, operations = job.document_id, self.tables.operations
        try:
            check_id(document_id, field="document_id")
        except InvalidInputError as error:
            staging.fail(job, offset, error)
            return staging
        waiting = list(self.deferred.of_document(document_id))
        if operations.erased(document_id) is not None:
            staging.succeed(job, offset)
        elif waiting or operations.streams_of(document_id):
            await self._erase(document_id, waiting, staging)
            staging.succeed(job, offset)
        else:
            staging.fail(job, offset, DocumentNotFoundError(document_id))
        return staging

    async def _erase(self, document_id: str, waiting: Sequence[Deferred], staging: Staging) -> None:
        operations = self.tables.operations
        erased = Erased(document_id, render(self.now_us()))
        for stream, head in operations.streams_of(document_id):
            for start in range(0, head.next_index, _AT_ONCE):
                indexes = range(start, min(start + _AT_ONCE, head.next_index))
                staging.operations += [Entry(record_key(stream, at), None) for at in indexes]
                await asyncio.sleep(0)
        staging.operations.append(Entry(accepted_key(document_id), None))
        staging.operations.append(Entry(erased_key(document_id), erased.encode()))
        staging.rows += operations.lasting.rows(erased_key(document_id), erased.encode())
        staging.keyframes.remove(self.tables.keyframes.keys_of(document_id))
        staging.forgotten_jobs += await self._jobs(document_id)
        staging.rows.append(
            operations.lasting.remains.row(document_id, self._ranges(document_id, staging))
        )
        staging.erased.append(document_id)
        error = DocumentErasedError(document_id, erased.erased_at)
        for one in waiting:
            # Whoever depends on it waits no longer.
            staging.fail(one.job, one.offset, error)
            staging.deferred[one.key] = None

    def _ranges(self, document_id: str, staging: Staging) -> list[Range]:
        """Where the rows lie that are removed; of the jobs, only from the first to the last."""
        found = ranges(document_id)
        ids = sorted(entry.key or b"" for entry in staging.forgotten_jobs)
        if ids:
            row = self.jobs.row
            found.append((row(ids[0], None).key, row(ids[-1], None).key + b"\0"))
        return found

    async def _jobs(self, document_id: str) -> list[Entry]:
        """Tombstones for the results of the document's jobs."""
        found: list[Entry] = []
        after: bytes | None = b""
        while after is not None:
            ids, after = self.jobs.of_document(document_id, after, _AT_ONCE)
            found += [Entry(job_id, None) for job_id in ids]
            await asyncio.sleep(0)
        return found
