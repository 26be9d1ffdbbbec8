"""The lane that writes: jobs come in and are decided and committed, one batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import structlog

from docreactor.agents.attempts import Attempts
from docreactor.agents.commit import Committer
from docreactor.agents.deferral import Deferral
from docreactor.agents.erasure import Erasing, apart, erasure_of
from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.live import LivePartition
from docreactor.agents.log import Log, LogRecord
from docreactor.agents.pause import LeftError, Pause
from docreactor.agents.reducer import ReducerAgent
from docreactor.agents.retrying import PLACE_FAILURES, Retrying, given_up
from docreactor.agents.staging import Staging
from docreactor.pipeline.errors import (
    ReactorError,
    RecordRefusedError,
    RestoringError,
    StoreFailedError,
    TooLargeError,
    UndecodableRecordError,
    UnknownModelError,
    WorkerKilledError,
)
from docreactor.pipeline.job import decode_job
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached

_log = structlog.get_logger(__name__)

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Work:
    """Records to be decided together, and the offset that is committed with them.

    Those of deferred jobs are resumed: they were consumed before.
    """

    records: Sequence[LogRecord]
    next_offset: Offset
    is_resumed: bool = False

    def parts(self) -> Iterator[Work]:
        """The same in its order, each erasure by itself."""
        parts = list(apart(self.records))
        for part in parts[:-1]:
            yield Work(part, Offset(part[-1].offset + 1), self.is_resumed)
        yield Work(parts[-1], self.next_offset, self.is_resumed)

    def one_by_one(self) -> Iterator[Work]:
        """Each record by itself."""
        for record in self.records:
            after = self.next_offset if self.is_resumed else Offset(record.offset + 1)
            yield Work([record], after, self.is_resumed)


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, who commits, who knows which jobs wait, and who erases."""

    reducer: ReducerAgent
    committer: Committer
    deferral: Deferral
    erasing: Erasing


class WriteLane:
    """Takes jobs from the inbox, decides them, commits them. One batch at a time."""

    def __init__(
        self,
        log: Log,
        inbox: Inbox,
        decider: Decider,
        attempts: Attempts,
        pause: Pause,
        retrying: Retrying,
        live: LivePartition,
        *,
        room: Room,
    ) -> None:
        self._log = log
        self._inbox = inbox
        self._reducer = decider.reducer
        self._committer = decider.committer
        self._deferral = decider.deferral
        self._erasing = decider.erasing
        self._attempts = attempts
        self._pause = pause
        self._retrying = retrying
        self._consumed = live.consumed
        self._written = live.written
        self._released: Reached = live.released
        self._working = live.working
        self._number = live.number
        self._waiting = self._committer.metrics.deferred.labels(live.number)
        self._chores = live.chores
        self._chores.wake = inbox.wake
        self._room = room
        self._position = Offset(live.consumed.next_offset)

    async def run(self, leaving: Callable[[], bool]) -> None:
        """Until `leaving` says so; it ends between two transactions."""
        try:
            with suppress(LeftError):
                await self._run(leaving)
        finally:
            self._waiting.set(0)
            self._chores.close(RestoringError(self._number, state="on its way elsewhere"))

    async def _run(self, leaving: Callable[[], bool]) -> None:
        await self._deferral.restore()
        self._waiting.set(self._deferral.count)
        await self._committer.renew(self._position)
        while not leaving():
            if self._deferral.is_ready():
                await self._resume()
                if leaving():
                    return
            await self._chores.run(self._write)
            wait_s = 0.0 if self._deferral.is_ready() else _LOOK_S
            fetched = await self._inbox.take(self._room, timeout_s=wait_s)
            if leaving():
                return
            if fetched is not None and fetched.records:
                for part in Work(fetched.records, fetched.next_offset).parts():
                    await self._batch(part)
                if self._is_suspicious:
                    await self._attempts.survived()
            elif fetched is not None:
                self._position = fetched.next_offset
                self._consumed.advance(self._position)
            await self._renew_when_due()

    async def _write(self, staging: Staging) -> None:
        """Commit what is no job's."""
        self._written.advance(await self._committer.commit(staging, self._position))

    async def _resume(self) -> None:
        """Run what was deferred and may run now, as far as one batch goes."""
        records = self._deferral.take(self._room)
        if records:
            await self._batch(Work(records, self._position, is_resumed=True))

    @property
    def _is_suspicious(self) -> bool:
        """Whether a batch has ended its worker often enough to be run job by job.

        Whatever was deferred runs before it, and may have been the one.
        """
        return self._attempts.one_at_a_time or self._attempts.killer is not None

    async def _batch(self, work: Work) -> None:
        if self._is_suspicious:
            for alone in work.one_by_one():
                await self._watched(alone)
            return
        staging = await self._staged(work)
        if staging is None:
            _log.warning("a batch could not be decided: running its jobs one at a time")
            for alone in work.one_by_one():
                await self._batch(alone)
            return
        try:
            await self._commit(staging, work)
        except RecordRefusedError as error:
            if len(work.records) == 1:
                await self._refused(work, error)
                return
            _log.warning("a batch was refused: running its jobs one at a time", error=str(error))
            for alone in work.one_by_one():
                await self._batch(alone)

    async def _watched(self, work: Work) -> None:
        """Run one job of which the next owner is to know that it ran, if it ends this worker."""
        (record,) = work.records
        if self._attempts.killer == record.offset:
            job_id = _job_id(record)
            _log.error("a job ended its worker", job=job_id)
            await self._end(work, WorkerKilledError(job_id))
            return
        await self._attempts.run_alone(Offset(record.offset), self._position)
        staging = await self._staged(work)
        assert staging is not None, "one job by itself is decided or given up"
        try:
            await self._commit(staging, work)
        except RecordRefusedError as error:
            await self._refused(work, error)

    async def _staged(self, work: Work) -> Staging | None:
        """What the work comes to; None where the place failed for several jobs together.

        For one job alone it is tried again, and given up in the end.
        """
        causes: list[OSError | StoreFailedError] = []
        waits_s = self._retrying.waits_s()
        while True:
            try:
                staging = await self._decided(work)
            except PLACE_FAILURES as cause:
                if len(work.records) > 1:
                    return None
                causes.append(cause)
                wait_s = next(waits_s, None)
                if wait_s is None:
                    staging = self._reducer.refuse(work.records[0], given_up(causes))
                    staging.retry_count = len(causes) - 1
                    return staging
                _log.warning("a job could not be decided", error=str(cause), wait_s=wait_s)
                await self._pause.wait(wait_s, self._renew_when_due)
            else:
                staging.retry_count = len(causes)
                return staging

    async def _decided(self, work: Work) -> Staging:
        """What the records come to, once every model is here; LeftError when that comes first."""
        return await self._pause.over(partial(self._decide, work), self._renew_when_due)

    async def _decide(self, work: Work) -> Staging:
        since = perf_counter()
        try:
            erasure = erasure_of(work.records[0])
            if erasure is not None:
                staging = await self._erasing.decide(erasure, work.records[0].offset)
            else:
                staging = await self._renewing(
                    self._reducer.reduce(work.records, is_resumed=work.is_resumed)
                )
        except UnknownModelError:
            # Whatever ends this worker while it waits, it is not this batch.
            await self._attempts.survived()
            self._working.end()
            raise
        self._committer.metrics.batch_s.observe(perf_counter() - since)
        return staging

    async def _renewing(self, decision: Coroutine[Any, Any, Staging]) -> Staging:
        """What it comes to. Moving many operations takes seconds: the lease is held meanwhile."""
        deciding = asyncio.create_task(decision)
        try:
            while not (await asyncio.wait({deciding}, timeout=_LOOK_S))[0]:
                await self._renew_when_due()
            return await deciding
        finally:
            if not deciding.done():
                deciding.cancel()
                # It reads tables that whoever ended this closes.
                await asyncio.wait({deciding})

    async def _commit(self, staging: Staging, work: Work) -> None:
        if not (work.is_resumed and staging.is_empty):
            next_operation = await self._committer.commit(staging, work.next_offset)
            self._position = work.next_offset
            self._written.advance(next_operation)
            self._consumed.advance(work.next_offset)
        self._working.end()
        if self._deferral.committed(staging):
            self._released.advance(self._released.next_offset + 1)
        self._waiting.set(self._deferral.count)

    async def _renew_when_due(self) -> None:
        if self._committer.lease.due():
            await self._committer.renew(self._position)

    async def _refused(self, work: Work, error: RecordRefusedError) -> None:
        limit = await self._limit(error.facts["topic"])
        _log.warning("a job was refused", job=_job_id(work.records[0]), error=str(error))
        await self._end(work, TooLargeError("a record of the job", limit=limit))

    async def _limit(self, topic: str) -> int:
        (declared,) = await self._log.describe([topic])
        return int(declared.config["max.message.bytes"])

    async def _end(self, work: Work, error: ReactorError) -> None:
        await self._commit(self._reducer.refuse(work.records[0], error), work)


def _job_id(record: LogRecord) -> str:
    try:
        return decode_job(record.value or b"").id
    except UndecodableRecordError:
        return f"(undecodable, offset {record.offset})"
