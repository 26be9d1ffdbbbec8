"""Decides a batch of jobs: dedupe, check, reduce. Writes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from docreactor.agents.dead_letters import dead_letter
from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.agents.placement import Placement
from docreactor.agents.staging import Known, Staging, StreamStage
from docreactor.pipeline.action import CREATE_DOCUMENT, DOCUMENT_SCOPE, Action
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.errors import (
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    ReactorError,
    RevisionMismatchError,
)
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.record import check_format
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds
from docreactor.tables.cache import WriteCache
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import OperationsTable, action_key

_STRETCH_S = 0.02


@dataclass(frozen=True, slots=True)
class WriteTables:
    """What one partition's reducer knows."""

    operations: OperationsTable
    keyframes: Keyframes
    cache: WriteCache


class _Asked(NamedTuple):
    """A job, its offset, the stream that it is about and the keys of its actions' rows."""

    offset: int
    job: Mutation
    stage: StreamStage
    keys: list[bytes]


class ReducerAgent:
    """One partition's reducer."""

    def __init__(
        self,
        source: TopicPartition,
        tables: WriteTables,
        registry: Registry,
        settings: Settings,
        *,
        bound: Bound,
        now_us: Callable[[], Microseconds],
    ) -> None:
        self._source = source
        self._tables = tables
        self._placement = Placement(
            registry,
            settings,
            tables.keyframes,
            bound=bound,
            now_us=now_us,
        )

    async def reduce(self, records: Sequence[LogRecord]) -> Staging:
        """Decide every job in offset order; the loop gets its turn every 20 ms."""
        staging = Staging(self._tables.keyframes.stage())
        jobs = self._decode(records, staging)
        await self._load(jobs, staging)
        since = perf_counter()
        for asked in jobs:
            self._run(asked, staging)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        return staging

    def refuse(self, record: LogRecord, error: ReactorError) -> Staging:
        """End one record's job with an error and keep the record among the dead letters."""
        staging = Staging(self._tables.keyframes.stage())
        for asked in self._decode([record], staging):
            staging.fail(asked.job, asked.offset, error)
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
                stage = staging.stage(Stream(job.document_id, job.scope, job.branch))
                keys = [action_key(stage.stream, action.id) for action in job.actions]
                jobs.append(_Asked(record.offset, job, stage, keys))
        return jobs

    async def _load(self, jobs: Sequence[_Asked], staging: Staging) -> None:
        """Fetch what the jobs build on: heads, known action ids, states."""
        operations, cache = self._tables.operations, self._tables.cache
        keys = [key for asked in jobs for key in asked.keys]
        stages = [asked.stage for asked in jobs for _ in asked.keys]
        for key, stage, index in zip(keys, stages, operations.indexes_at(keys), strict=True):
            if index is not None:
                known = _known(operations.get(stage.stream, index), key, stage.stream)
                if known is not None:
                    staging.known[key] = known
                else:
                    staging.known.setdefault(key, Known(None, None))
        missing: list[StreamStage] = []
        for stage in staging.streams.values():
            newest = cache.newest(stage.stream)
            if newest is None:
                missing.append(stage)
            else:
                stage.load(newest.head)
                stage.state = newest.state
        heads = operations.heads([stage.stream for stage in missing])
        for stage, head in zip(missing, heads, strict=True):
            if head is None:
                continue
            stage.load(head)
            try:
                stage.state = await cache.get(stage.stream)
            except ReactorError as error:
                stage.broken = error

    def _run(self, asked: _Asked, staging: Staging) -> None:
        offset, job, stage, _ = asked
        mark = staging.mark(stage)
        try:
            fresh = _fresh(asked, staging)
            if fresh:
                self._check(job, stage, begins=fresh.get(asked.keys[0]))
                for key, action in fresh.items():
                    self._placement.place(action, key, stage, staging)
        except ReactorError as error:
            staging.undo(stage, mark)
            staging.fail(job, offset, error)
        else:
            staging.succeed(job, offset)

    def _check(self, job: Mutation, stage: StreamStage, *, begins: Action | None) -> None:
        """What can be refused before anything is reduced; `begins` is its first action if new."""
        for needed in (stage.home, stage):
            if needed.broken is not None:
                raise needed.broken
        document = stage.document
        if job.actions[0].type == CREATE_DOCUMENT and job.scope == DOCUMENT_SCOPE:
            # Before its time is looked at, which may well be that of the first creation.
            if begins is not None and document is not None:
                raise DocumentAlreadyExistsError(job.document_id, job.branch)
        elif document is None:
            raise DocumentNotFoundError(job.document_id, job.branch)
        elif document.is_deleted:
            raise DocumentDeletedError(document.id, document.deleted_at)
        revision = stage.head.next_index
        if job.expected_revision is not None and job.expected_revision != revision:
            raise RevisionMismatchError(expected=job.expected_revision, actual=revision)


def _known(content: bytes | None, key: bytes, stream: Stream) -> Known | None:
    """The stream's own operation as what its action id stands for; None when it is another's."""
    action = None if content is None else Operation.decode(content).action
    if action is None or action_key(stream, action.id) != key:
        return None
    return Known(action, action.timestamp)


def _fresh(asked: _Asked, staging: Staging) -> dict[bytes, Action]:
    """The actions that are not stored yet. ActionIdConflict for another one of a known id."""
    fresh: dict[bytes, Action] = {}
    for key, action in zip(asked.keys, asked.job.actions, strict=True):
        known = staging.known.get(key)
        if known is None and key in fresh:
            known = Known(fresh[key], fresh[key].timestamp)
        if known is None:
            fresh[key] = action
        else:
            known.check(action)
    return fresh
