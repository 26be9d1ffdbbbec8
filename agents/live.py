"""A partition that serves here: its tables, and how to wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from docreactor.agents.shelf import PartitionTables
from docreactor.pipeline.errors import JobNotFoundError, JobNotReadyError, NotYetVisibleError
from docreactor.pipeline.job import JobResult, JobStatus
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.pipeline.replay import Replay
from docreactor.tables.cache import WriteCache
from docreactor.tables.documents import DocumentsTable
from docreactor.tables.jobs import JobsTable
from docreactor.tables.operations import OperationsTable
from docreactor.tables.wait import Reached

Until = Literal["write", "read"]
_UNKNOWN_JOB_S = 1.0


@dataclass(frozen=True, slots=True)
class LivePartition:
    """What the gateway may ask while the partition runs and its lease is held."""

    number: int
    log_id: str
    replay: Replay
    tables: PartitionTables
    consumed: Reached
    written: Reached
    viewed: Reached
    end_of_actions: Callable[[], Awaitable[Offset]]

    @property
    def documents(self) -> DocumentsTable:
        """The view's table."""
        return self.tables.documents

    @property
    def operations(self) -> OperationsTable:
        """The operation store."""
        return self.tables.write.operations

    @property
    def cache(self) -> WriteCache:
        """States at any revision."""
        return self.tables.write.cache

    @property
    def jobs(self) -> JobsTable:
        """What became of the jobs."""
        return self.tables.jobs

    def view_position(self) -> Position:
        """How far the documents table is."""
        return self._position(self.viewed)

    def operations_position(self) -> Position:
        """How far the operation store is."""
        return self._position(self.written)

    def _position(self, reached: Reached) -> Position:
        return Position(self.log_id, {Partition(self.number): Offset(reached.next_offset)})

    async def wait_view(self, wanted: Position, timeout_s: float) -> None:
        """Return when the documents table shows the position, or NotYetVisible."""
        await self._wait(self.viewed, wanted, timeout_s)

    async def wait_operations(self, wanted: Position, timeout_s: float) -> None:
        """Return when the operation store holds the position, or NotYetVisible."""
        await self._wait(self.written, wanted, timeout_s)

    async def _wait(self, reached: Reached, wanted: Position, timeout_s: float) -> None:
        offset = wanted.next_offsets.get(Partition(self.number), Offset(0))
        try:
            await reached.wait(offset, timeout_s)
        except TimeoutError:
            raise NotYetVisibleError(
                wanted=wanted.token, reached=self._position(reached).token
            ) from None

    def job(self, job_id: str) -> JobResult | None:
        """What is known now; READ_READY when the documents table has passed its token."""
        result = self.jobs.get(job_id)
        if result is None:
            return None
        if result.status is JobStatus.WRITE_READY and self._token_offset(result) <= (
            self.viewed.next_offset
        ):
            return _read_ready(result)
        return result

    def _token_offset(self, result: JobResult) -> int:
        position = Position.parse(result.token, log_id=self.log_id)
        return position.next_offsets.get(Partition(self.number), Offset(0))

    async def wait_job(
        self, job_id: str, *, offset: int | None, until: Until | None, timeout_s: float
    ) -> JobResult:
        """The job, once it is where `until` says.

        With `until` None it answers at once, for an unknown id within a second. FAILED is
        returned. JobNotFound, or JobNotReady carrying what is known.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        result = self.job(job_id)
        if result is None:
            wanted = offset + 1 if offset is not None else await self.end_of_actions()
            patience_s = _UNKNOWN_JOB_S if until is None else timeout_s
            try:
                await self.consumed.wait(wanted, patience_s)
            except TimeoutError:
                return self._pending(job_id, offset, until)
            result = self.job(job_id)
            if result is None:
                raise JobNotFoundError(job_id)
        if until == "read" and result.status is JobStatus.WRITE_READY:
            try:
                await self.viewed.wait(self._token_offset(result), ends_at - loop.time())
            except TimeoutError:
                raise JobNotReadyError(result, "READ_READY") from None
            return _read_ready(result)
        return result

    def _pending(self, job_id: str, offset: int | None, until: Until | None) -> JobResult:
        pending = JobResult(
            id=job_id,
            document_id=None,
            scope=None,
            branch=None,
            status=JobStatus.PENDING,
            token="",
            error=None,
            retry_count=0,
            offset=offset,
        )
        if until is None:
            return pending
        raise JobNotReadyError(pending, f"{until.upper()}_READY")


def _read_ready(result: JobResult) -> JobResult:
    return result.model_copy(update={"status": JobStatus.READ_READY})
