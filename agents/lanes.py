"""A running partition: the lane that writes, beside the one that shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from random import random
from time import perf_counter

import structlog

from docreactor.agents.arrival import Arrived
from docreactor.agents.attempts import Attempts
from docreactor.agents.commit import Committer
from docreactor.agents.deployment import Deployment
from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.lease import Lease
from docreactor.agents.live import LivePartition
from docreactor.agents.log import Fetched, Flow, Log, LogRecord, TopicPartition
from docreactor.agents.pause import LeftError, Pause, Tell
from docreactor.agents.reducer import ReducerAgent
from docreactor.agents.staging import Staging
from docreactor.agents.tail import Tail
from docreactor.agents.view_lane import ViewLane
from docreactor.pipeline.errors import (
    RecordRefusedError,
    TooLargeError,
    UndecodableRecordError,
    UnknownModelError,
    WorkerKilledError,
)
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached

_log = structlog.get_logger(__name__)

_INBOX_BATCHES = 3
_DAY_MS = 86_400_000

Lacks = Callable[[str, UnknownModelError | None], None]
"""Told which agent waits for which model, and None when it goes on."""


class WriteLane:
    """Takes jobs from the inbox, decides them, commits them. One batch at a time."""

    def __init__(
        self,
        log: Log,
        inbox: Inbox,
        reducer: ReducerAgent,
        committer: Committer,
        attempts: Attempts,
        pause: Pause,
        *,
        consumed: Reached,
        written: Reached,
        room: Room,
    ) -> None:
        self._log = log
        self._inbox = inbox
        self._reducer = reducer
        self._committer = committer
        self._attempts = attempts
        self._pause = pause
        self._consumed = consumed
        self._written = written
        self._room = room
        self._position = Offset(consumed.next_offset)

    async def run(self, leaving: Callable[[], bool]) -> None:
        """Until `leaving` says so; it ends between two transactions."""
        with suppress(LeftError):
            await self._run(leaving)

    async def _run(self, leaving: Callable[[], bool]) -> None:
        await self._committer.renew(self._position)
        while not leaving():
            fetched = await self._inbox.take(self._room, timeout_s=0.2)
            if leaving():
                return
            if fetched is not None and fetched.records:
                await self._batch(fetched)
            elif fetched is not None:
                self._position = fetched.next_offset
                self._consumed.advance(self._position)
            await self._renew_when_due()

    async def _batch(self, fetched: Fetched) -> None:
        if self._attempts.one_at_a_time or self._attempts.killer is not None:
            await self._one_at_a_time(fetched)
            await self._attempts.survived()
            return
        staging = await self._decided(fetched.records)
        try:
            self._advance(await self._committer.commit(staging, fetched.next_offset), fetched)
        except RecordRefusedError as error:
            if len(fetched.records) == 1:
                await self._refused(fetched.records[0], fetched.next_offset, error)
                return
            _log.warning("a batch was refused: running its jobs one at a time", error=str(error))
            for record in fetched.records:
                await self._batch(Fetched([record], Offset(record.offset + 1)))

    async def _one_at_a_time(self, fetched: Fetched) -> None:
        for record in fetched.records:
            offset, after = Offset(record.offset), Offset(record.offset + 1)
            if self._attempts.killer == offset:
                job_id = _job_id(record)
                _log.error("a job ended its worker", job=job_id)
                await self._end(record, after, WorkerKilledError(job_id))
                continue
            await self._attempts.run_alone(offset)
            staging = await self._decided([record])
            try:
                self._advance(
                    await self._committer.commit(staging, after), Fetched([record], after)
                )
            except RecordRefusedError as error:
                await self._refused(record, after, error)

    async def _decided(self, records: Sequence[LogRecord]) -> Staging:
        """What the records come to, once every model is here; LeftError when that comes first."""
        return await self._pause.over(partial(self._decide, records), self._renew_when_due)

    async def _decide(self, records: Sequence[LogRecord]) -> Staging:
        since = perf_counter()
        try:
            staging = await self._reducer.reduce(records)
        except UnknownModelError:
            # Whatever ends this worker while it waits, it is not this batch.
            await self._attempts.survived()
            raise
        self._committer.metrics.batch_s.observe(perf_counter() - since)
        return staging

    async def _renew_when_due(self) -> None:
        if self._committer.lease.due():
            await self._committer.renew(self._position)

    async def _refused(self, record: LogRecord, after: Offset, error: RecordRefusedError) -> None:
        limit = await self._limit(error.facts["topic"])
        _log.warning("a job was refused", job=_job_id(record), error=str(error))
        await self._end(record, after, TooLargeError("a record of the job", limit=limit))

    async def _limit(self, topic: str) -> int:
        (declared,) = await self._log.describe([topic])
        return int(declared.config["max.message.bytes"])

    async def _end(
        self, record: LogRecord, after: Offset, error: TooLargeError | WorkerKilledError
    ) -> None:
        staging = self._reducer.refuse(record, error)
        self._advance(await self._committer.commit(staging, after), Fetched([record], after))

    def _advance(self, next_operation: Offset, fetched: Fetched) -> None:
        self._position = fetched.next_offset
        self._written.advance(next_operation)
        self._consumed.advance(fetched.next_offset)


class Lanes:
    """Both lanes of one life, and the inboxes that they take from."""

    def __init__(
        self,
        deployment: Deployment,
        arrived: Arrived,
        live: LivePartition,
        *,
        lease: Lease,
        flow: Flow,
        tell: Callable[[], None],
        lacks: Lacks,
    ) -> None:
        settings = deployment.settings
        batch = Room(settings.batch_jobs_max, settings.batch_bytes_max)
        # An operation is about twice as large as the job that asks for it.
        shown = Room(2 * batch.records, 2 * batch.bytes)
        ahead = Room(_INBOX_BATCHES * batch.records, _INBOX_BATCHES * batch.bytes)
        actions, operations = deployment.actions(live.number), deployment.operations(live.number)
        self.inboxes = {
            source.topic: Inbox(source, flow, ahead) for source in (actions, operations)
        }
        self._write = WriteLane(
            deployment.log,
            self.inboxes[actions.topic],
            _reducer(deployment, arrived, actions),
            _committer(deployment, arrived, live.number, lease),
            arrived.attempts,
            self._pause(deployment, actions, partial(lacks, "reducer")),
            consumed=live.consumed,
            written=live.written,
            room=batch,
        )
        self._show = ViewLane(
            self.inboxes[operations.topic],
            arrived.view,
            self._pause(deployment, operations, partial(lacks, "documents")),
            written=live.written,
            viewed=live.viewed,
            room=shown,
            tell=tell,
        )

    def _pause(self, deployment: Deployment, source: TopicPartition, tell: Tell) -> Pause:
        return Pause(self.inboxes[source.topic], deployment.registry, tell, random)

    async def run(self, leaving: Callable[[], bool]) -> None:
        """Until `leaving` says so and both have ended; what ends one before ends the other."""
        tasks = [asyncio.create_task(lane.run(leaving)) for lane in (self._write, self._show)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled():
                task.result()


def _reducer(deployment: Deployment, arrived: Arrived, source: TopicPartition) -> ReducerAgent:
    return ReducerAgent(
        source,
        arrived.tables.write,
        deployment.registry,
        deployment.settings,
        bound=deployment.bound,
        now_us=deployment.clock.now_us,
    )


def _committer(deployment: Deployment, arrived: Arrived, partition: int, lease: Lease) -> Committer:
    return Committer(
        deployment.topics,
        partition,
        deployment.log_id,
        arrived.ownership,
        Tail(deployment.log, deployment.operations(partition)),
        arrived.tables.write_store,
        arrived.tables.write,
        arrived.tables.jobs,
        lease,
        deployment.metrics,
        deployment.clock.now_ms,
        deployment.settings.jobs_retention_days * _DAY_MS,
    )


def _job_id(record: LogRecord) -> str:
    try:
        return Mutation.decode(record.value or b"").id
    except UndecodableRecordError:
        return f"(undecodable, offset {record.offset})"
