"""A partition that serves here: its tables, and how to wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from docreactor.agents.chores import Chores
from docreactor.agents.derivation import Derivation
from docreactor.agents.documents_projection import DocumentsProjection
from docreactor.agents.kept import Kept
from docreactor.agents.model_row import DOCUMENTS
from docreactor.agents.shelf import PartitionTables
from docreactor.agents.working import Working
from docreactor.pipeline.errors import (
    JobNotFoundError,
    JobNotReadyError,
    NotYetVisibleError,
    RestoringError,
)
from docreactor.pipeline.job import Job, JobResult, JobStatus, Load, Mutation
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.pipeline.replay import Replay
from docreactor.tables.cache import WriteCache
from docreactor.tables.deferred import DeferredTable
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
    ready: Reached
    serving: Callable[[str, int | None], Kept]
    """The generation of a read model that answers, or the one named; Restoring without it."""
    end_of_actions: Callable[[], Awaitable[Offset]]
    working: Working = field(default_factory=Working)
    chores: Chores = field(default_factory=Chores)
    released: Reached = field(default_factory=Reached)
    """Counts how often deferred jobs have ended."""
    derivation: Derivation | None = None
    """What derives documents anew, and knows which were set aside; None where nothing runs."""
    generation: int | None = None
    """Of the read models that are asked; None for those that serve."""

    @property
    def documents(self) -> DocumentsTable:
        """The view's table."""
        return self.shown().table

    @property
    def viewed(self) -> Reached:
        """How far the documents table is."""
        return self.serving(DOCUMENTS, self.generation).reached

    def at(self, generation: int | None) -> LivePartition:
        """The same, asked for one generation of its read models."""
        return self if generation is None else replace(self, generation=generation)

    def is_life_of(self, other: LivePartition | None) -> bool:
        """Whether both are one assignment of one partition."""
        return other is not None and other.tables is self.tables and other.written is self.written

    def shown(self) -> DocumentsProjection:
        """The documents of the generation that is asked."""
        projection = self.serving(DOCUMENTS, self.generation).projection
        assert isinstance(projection, DocumentsProjection)
        return projection

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

    @property
    def deferred(self) -> DeferredTable:
        """The jobs that wait."""
        return self.tables.deferred

    def derived(self) -> Derivation:
        """What derives documents anew; Restoring where nothing runs."""
        if self.derivation is None:
            raise RestoringError(self.number, state="without read models")
        return self.derivation

    def view_position(self) -> Position:
        """How far the documents table is."""
        return self._position(self.viewed)

    def operations_position(self) -> Position:
        """How far the operation store is."""
        return self._position(self.written)

    def position_of(self, name: str) -> Position:
        """How far the rows of a read model are; Restoring without it."""
        return self._position(self.serving(name, self.generation).reached)

    async def wait_of(self, name: str, wanted: Position, timeout_s: float) -> None:
        """Return when the rows of a read model show the position, or NotYetVisible."""
        await self._wait(self.serving(name, self.generation).reached, wanted, timeout_s)

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
        """What became of it; READ_READY when every required read model has passed its token."""
        result = self.jobs.get(job_id)
        if result is None:
            return None
        if result.status is JobStatus.WRITE_READY and self._token_offset(result) <= (
            self.ready.next_offset
        ):
            return self._told(result, JobStatus.READ_READY)
        return self._told(result, result.status)

    def _told(self, result: JobResult, status: JobStatus) -> JobResult:
        """With how the read models fare; of those that fail only what is not shown yet."""
        held: dict[str, Any] | None = None
        if self.derivation is not None and status is not JobStatus.FAILED:
            is_shown = status is JobStatus.READ_READY
            held = self.derivation.holding(result.document_id, is_shown=is_shown) or None
        if status is result.status and held is None:
            return result
        return result.model_copy(update={"status": status, "held_by": held})

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
        ends_at = asyncio.get_running_loop().time() + timeout_s
        result = self.job(job_id)
        if result is None and until is None:
            result = self._open_job(job_id)
        if result is None:
            wanted = offset + 1 if offset is not None else await self.end_of_actions()
            patience_s = _UNKNOWN_JOB_S if until is None else timeout_s
            try:
                await self.consumed.wait(wanted, patience_s)
            except TimeoutError:
                pending = self._open_job(job_id) or pending_job(job_id, offset)
                return self._not_ready(pending, until)
            result = await self._ended(job_id, until, ends_at)
        if until == "read" and result.status is JobStatus.WRITE_READY:
            try:
                await self.ready.wait(self._token_offset(result), _left_s(ends_at))
            except TimeoutError:
                raise JobNotReadyError(self._told(result, result.status), "READ_READY") from None
            return self._told(result, JobStatus.READ_READY)
        return result

    async def _ended(self, job_id: str, until: Until | None, ends_at: float) -> JobResult:
        """A consumed job once it has ended, or as it is where that is not waited for."""
        while (result := self.job(job_id)) is None:
            released = self.released.next_offset
            known = self._open_job(job_id)
            if known is None:
                raise JobNotFoundError(job_id)
            if until is None:
                return known
            try:
                await self.released.wait(released + 1, _left_s(ends_at))
            except TimeoutError:
                return self._not_ready(known, until)
        return result

    def _open_job(self, job_id: str) -> JobResult | None:
        """A job that has not ended: RUNNING in the batch being worked on, PENDING if deferred."""
        running = self.working.job(job_id)
        if running is not None:
            return pending_job(job_id, None, running, JobStatus.RUNNING)
        deferred = self.deferred.get(job_id)
        return None if deferred is None else pending_job(job_id, deferred.offset, deferred.job)

    def _not_ready(self, known: JobResult, until: Until | None) -> JobResult:
        if until is None:
            return known
        raise JobNotReadyError(known, f"{until.upper()}_READY")


def pending_job(
    job_id: str, offset: int | None, job: Job | None = None, status: JobStatus = JobStatus.PENDING
) -> JobResult:
    """What is answered for a job that has not ended, as far as it is known."""
    stream = job if isinstance(job, Mutation | Load) else None
    return JobResult(
        id=job_id,
        document_id=None if job is None else job.document_id,
        scope=None if stream is None else stream.scope,
        branch=None if stream is None else stream.branch,
        status=status,
        token="",
        error=None,
        retry_count=0,
        offset=offset,
    )


def _left_s(ends_at: float) -> float:
    return ends_at - asyncio.get_running_loop().time()
