"""Decides a batch of jobs: dedupe, check, reduce. Writes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from docreactor.agents.dead_letters import dead_letter
from docreactor.agents.deadline import Deadline
from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.agents.placement import Placement
from docreactor.agents.staging import JobStage, Known, Staging
from docreactor.pipeline.action import CREATE_DOCUMENT, DOCUMENT_SCOPE, Action
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    DocumentDeletedError,
    DocumentNotFoundError,
    ReactorError,
    RevisionMismatchError,
)
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.record import check_format
from docreactor.pipeline.reduce import NOTHING, origin
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds
from docreactor.tables.cache import WriteCache
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import Head, OperationsTable

_STRETCH_S = 0.02
_EMPTY = Head(next_index=0, latest_us=-1, previous=None, keyframe_label=-1, bytes_since_keyframe=0)


@dataclass(frozen=True, slots=True)
class WriteTables:
    """What one partition's reducer knows."""

    operations: OperationsTable
    keyframes: Keyframes
    cache: WriteCache


class _Asked(NamedTuple):
    """A job, its offset and the stream that it is about."""

    offset: int
    job: Mutation
    stream: Stream


class ReducerAgent:
    """One partition's reducer."""

    def __init__(
        self,
        source: TopicPartition,
        tables: WriteTables,
        registry: Registry,
        settings: Settings,
        *,
        deadline: Deadline,
        now_us: Callable[[], Microseconds],
    ) -> None:
        self._source = source
        self._tables = tables
        self._registry = registry
        self._placement = Placement(
            registry,
            settings,
            tables.operations,
            tables.keyframes,
            deadline=deadline,
            now_us=now_us,
        )

    async def reduce(self, records: Sequence[LogRecord]) -> Staging:
        """Decide every job in offset order; the loop gets its turn every 20 ms."""
        staging = Staging(self._tables.keyframes.stage())
        jobs = self._decode(records, staging)
        await self._load(jobs, staging)
        since = perf_counter()
        for offset, job, stream in jobs:
            try:
                staging.succeed(job, offset, self._mutate(job, stream, staging))
            except ReactorError as error:
                staging.fail(job, offset, error)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        return staging

    def refuse(self, record: LogRecord, error: ReactorError) -> Staging:
        """End one record's job with an error and keep the record among the dead letters."""
        staging = Staging(self._tables.keyframes.stage())
        for offset, job, _ in self._decode([record], staging):
            staging.fail(job, offset, error)
            staging.dead_letters.append(dead_letter(record, self._source, error))
        return staging

    def _decode(self, records: Sequence[LogRecord], staging: Staging) -> list[_Asked]:
        jobs: list[_Asked] = []
        for record in records:
            try:
                check_format(record.headers, self._source.topic)
                job = Mutation.decode(record.value or b"")
            except ReactorError as error:
                staging.dead_letters.append(dead_letter(record, self._source, error))
            else:
                stream = Stream(job.document_id, job.scope, job.branch)
                jobs.append(_Asked(record.offset, job, stream))
        return jobs

    async def _load(self, jobs: Sequence[_Asked], staging: Staging) -> None:
        """Fetch what the jobs build on: heads, known action ids, states."""
        pairs = [(stream, action.id) for _, job, stream in jobs for action in job.actions]
        streams = {stream: None for _, _, stream in jobs}
        for stream in list(streams):
            streams[_home(stream)] = None
        operations, cache = self._tables.operations, self._tables.cache
        staging.heads.update(zip(streams, operations.heads(list(streams)), strict=True))
        for (stream, action_id), index in zip(pairs, operations.indexes_of(pairs), strict=True):
            if index is not None:
                content = operations.get(stream, index) or b""
                action = Operation.decode(content).action
                staging.known[stream, action_id] = Known.of(action)
        for stream in streams:
            if staging.heads[stream] is None:
                continue
            try:
                staging.states[stream] = cache.peek(stream) or await cache.get(stream)
            except ReactorError as error:
                staging.broken[stream] = error

    def _mutate(self, job: Mutation, stream: Stream, staging: Staging) -> JobStage | None:
        known = staging.known
        fresh: dict[str, Action] = {}
        for action in job.actions:
            repeated = known.get((stream, action.id))
            if repeated is None and action.id in fresh:
                repeated = Known.of(fresh[action.id])
            if repeated is None:
                fresh[action.id] = action
            else:
                repeated.check(action)
        if not fresh:
            return None
        stage = self._begin(job, stream, staging)
        for action in fresh.values():
            self._placement.place(action, stage)
        return stage

    def _begin(self, job: Mutation, stream: Stream, staging: Staging) -> JobStage:
        """Check what can be refused before anything is reduced."""
        head = staging.heads.get(stream) or _EMPTY
        if job.expected_revision is not None and job.expected_revision != head.next_index:
            raise RevisionMismatchError(expected=job.expected_revision, actual=head.next_index)
        at_home = _home(stream)
        if staging.broken:
            for needed in (at_home, stream):
                if needed in staging.broken:
                    raise staging.broken[needed]
        home = staging.states.get(at_home)
        if home is None:
            if job.scope != DOCUMENT_SCOPE or job.actions[0].type != CREATE_DOCUMENT:
                raise DocumentNotFoundError(job.document_id, job.branch)
            return JobStage(stream, head, NOTHING, None)
        document: Document = home.state
        if document.is_deleted and job.actions[0].type != CREATE_DOCUMENT:
            raise DocumentDeletedError(document.id, document.deleted_at)
        state = staging.states.get(stream)
        if state is None:
            state = origin(self._registry.model(document.document_type), job.scope, document)
        return JobStage(stream, head, state, document)


def _home(stream: Stream) -> Stream:
    """The stream that says what the document is."""
    return Stream(stream.document_id, DOCUMENT_SCOPE, stream.branch)
