"""Decides a batch of jobs: dedupe, check, reduce. Writes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from docreactor.pipeline.registry import Registry
from docreactor.tables.cache import WriteCache
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import Head, OperationsTable

from docreactor.agents.dead_letters import dead_letter
from docreactor.agents.deadline import Deadline, DeadlinePassed
from docreactor.agents.log import Entry, LogRecord, TopicPartition
from docreactor.agents.staging import JobStage, Staging
from docreactor.pipeline.action import CREATE_DOCUMENT, DOCUMENT_SCOPE, Action
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.context import Context
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    ActionIdConflictError,
    DocumentDeletedError,
    DocumentNotFoundError,
    InvalidInputError,
    InvalidOperationTimestampError,
    ReactorError,
    ReducerTimeoutError,
    RevisionMismatchError,
)
from docreactor.pipeline.ids import operation_id
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.record import check_format
from docreactor.pipeline.reduce import NOTHING, origin, reduce, reduce_document
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import Microseconds, parse, render

_STRETCH_S = 0.02
_PURITY_EVERY = 100
_EMPTY = Head(next_index=0, latest_us=-1, previous=None, keyframe_label=-1, bytes_since_keyframe=0)


@dataclass(frozen=True, slots=True)
class WriteTables:
    """What one partition's reducer knows."""

    operations: OperationsTable
    keyframes: Keyframes
    cache: WriteCache


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
        self._replay = Replay(registry)
        self._settings = settings
        self._deadline = deadline
        self._now_us = now_us
        self._reduced = 0

    async def reduce(self, records: Sequence[LogRecord]) -> Staging:
        """Decide every job in offset order; the loop gets its turn every 20 ms."""
        staging = Staging(self._tables.keyframes.stage())
        jobs = self._decode(records, staging)
        await self._load([job for _, job in jobs], staging)
        since = perf_counter()
        for offset, job in jobs:
            try:
                staging.succeed(job, offset, self._mutate(job, staging))
            except ReactorError as error:
                staging.fail(job, offset, error)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        return staging

    def refuse(self, record: LogRecord, error: ReactorError) -> Staging:
        """End one record's job with an error and keep the record among the dead letters."""
        staging = Staging(self._tables.keyframes.stage())
        for offset, job in self._decode([record], staging):
            staging.fail(job, offset, error)
            staging.dead_letters.append(dead_letter(record, self._source, error))
        return staging

    def _decode(self, records: Sequence[LogRecord], staging: Staging) -> list[tuple[int, Mutation]]:
        jobs: list[tuple[int, Mutation]] = []
        for record in records:
            try:
                check_format(record.headers, f"{self._source.topic} {record.offset}")
                jobs.append((record.offset, Mutation.decode(record.value or b"")))
            except ReactorError as error:
                staging.dead_letters.append(dead_letter(record, self._source, error))
        return jobs

    async def _load(self, jobs: Sequence[Mutation], staging: Staging) -> None:
        """Fetch what the jobs build on: heads, known action ids, states."""
        pairs: list[tuple[Stream, str]] = []
        streams: dict[Stream, None] = {}
        for job in jobs:
            stream = Stream(job.document_id, job.scope, job.branch)
            streams[Stream(job.document_id, DOCUMENT_SCOPE, job.branch)] = None
            streams[stream] = None
            pairs += [(stream, action.id) for action in job.actions]
        operations, cache = self._tables.operations, self._tables.cache
        staging.heads.update(zip(streams, operations.heads(list(streams)), strict=True))
        for pair, index in zip(pairs, operations.indexes_of(pairs), strict=True):
            if index is not None:
                staging.known[pair] = index
        for stream in streams:
            if staging.heads[stream] is None:
                continue
            try:
                staging.states[stream] = cache.peek(stream) or await cache.get(stream)
            except ReactorError as error:
                staging.broken[stream] = error

    def _mutate(self, job: Mutation, staging: Staging) -> JobStage | None:
        stream = Stream(job.document_id, job.scope, job.branch)
        fresh = [action for action in job.actions if not self._is_known(action, stream, staging)]
        if not fresh:
            return None
        stage = self._begin(job, stream, staging)
        seen: dict[str, Action] = {}
        for action in fresh:
            if action.id in seen:
                _check_repeat(action, seen[action.id])
                continue
            seen[action.id] = action
            self._place(action, stage, staging)
        return stage

    def _is_known(self, action: Action, stream: Stream, staging: Staging) -> bool:
        known = staging.known.get((stream, action.id))
        if known is None:
            return False
        if isinstance(known, int):
            content = self._tables.operations.get(stream, known)
            known = Operation.decode(content or b"").action
        _check_repeat(action, known)
        return True

    def _begin(self, job: Mutation, stream: Stream, staging: Staging) -> JobStage:
        """Check what can be refused before anything is reduced."""
        head = staging.heads.get(stream) or _EMPTY
        if job.expected_revision is not None and job.expected_revision != head.next_index:
            raise RevisionMismatchError(expected=job.expected_revision, actual=head.next_index)
        at_home = Stream(job.document_id, DOCUMENT_SCOPE, job.branch)
        for needed in (at_home, stream):
            if needed in staging.broken:
                raise staging.broken[needed]
        home = staging.states.get(at_home)
        if home is None:
            if job.scope != DOCUMENT_SCOPE or job.actions[0].type != CREATE_DOCUMENT:
                raise DocumentNotFoundError(job.document_id, job.branch)
            return JobStage(stream, head, NOTHING)
        document: Document = home.state
        if document.is_deleted and job.actions[0].type != CREATE_DOCUMENT:
            raise DocumentDeletedError(document.id, document.deleted_at)
        state = staging.states.get(stream)
        if state is None:
            state = origin(self._registry.model(document.document_type), job.scope, document)
        return JobStage(stream, head, state)

    def _place(self, action: Action, stage: JobStage, staging: Staging) -> None:
        """Reduce one action and stage its operation."""
        head = stage.head
        moment = self._stamp(action, head)
        timestamp = render(moment)
        state, error, document_type = self._reduce(action, timestamp, stage, staging)
        stage.state = state
        stored = {
            "context": action.context,
            "id": action.id,
            "input": action.input,
            "scope": action.scope,
            "timestamp": timestamp,
            "type": action.type,
        }
        index = head.next_index
        content = encode(
            {
                "action": stored,
                "document_type": document_type,
                "error": error,
                "hash": state.hash,
                "id": operation_id(*stage.stream, action.id),
                "index": index,
                "previous": head.previous,
                "skip": 0,
                "timestamp": timestamp,
            }
        )
        stage.operations.append(Entry(record_key(stage.stream, index), content))
        stage.rows += self._tables.operations.operation_rows(
            stage.stream, index, action.id, content
        )
        stage.actions.append((stage.stream, action.model_copy(update={"timestamp": timestamp})))
        head = Head(
            next_index=index + 1,
            latest_us=moment,
            previous=digest(content),
            keyframe_label=head.keyframe_label,
            bytes_since_keyframe=head.bytes_since_keyframe + len(content),
        )
        stage.head = self._keyframe(head, stage, document_type)

    def _stamp(self, action: Action, head: Head) -> Microseconds:
        now = self._now_us()
        if action.timestamp is None:
            return Microseconds(max(now, head.latest_us + 1))
        moment = parse(action.timestamp)
        if moment > now + self._settings.clock_skew_max_ms * 1000:
            raise InvalidOperationTimestampError(
                action.timestamp, f"is over {self._settings.clock_skew_max_ms} ms ahead"
            )
        if moment <= head.latest_us:
            newest = render(Microseconds(head.latest_us))
            raise InvalidOperationTimestampError(
                action.timestamp, f"must be later than its stream's newest, {newest}"
            )
        return moment

    def _reduce(
        self, action: Action, timestamp: str, stage: JobStage, staging: Staging
    ) -> tuple[StreamState, str | None, str]:
        if action.scope != stage.stream.scope:
            raise InvalidInputError("scope", f"must be the job's own {stage.stream.scope}")
        if stage.stream.scope == DOCUMENT_SCOPE:
            state = reduce_document(stage.state, action.type, action.input, timestamp, stage.stream)
            document: Document = state.state
            self._check_initial(document)
            return state, None, document.document_type
        home = Stream(stage.stream.document_id, DOCUMENT_SCOPE, stage.stream.branch)
        document = staging.states[home].state
        context = Context(
            timestamp, action.id, (action.context or {}).get("signer"), document.origin
        )
        self._reduced += 1
        try:
            with self._deadline:
                state, error = reduce(
                    self._registry.model(document.document_type),
                    stage.state,
                    action.scope,
                    action.type,
                    action.input,
                    context,
                    document_bytes_max=self._settings.document_bytes_max,
                    check_purity=self._settings.check_purity or self._reduced % _PURITY_EVERY == 0,
                )
        except DeadlinePassed:
            raise ReducerTimeoutError(action.type, self._settings.reducer_timeout_ms) from None
        return state, error, document.document_type

    def _check_initial(self, document: Document) -> None:
        """A state that no model accepts must not seed a document."""
        model = self._registry.model(document.document_type)
        if document.version:
            for scope in document.initial_state:
                origin(model, scope, document)

    def _keyframe(self, head: Head, stage: JobStage, document_type: str) -> Head:
        keyframes, label = self._tables.keyframes, head.next_index - 1
        if not keyframes.due(head, len(stage.state.content), label):
            return head
        stage.keyframes.append(
            (label, self._replay.encode(stage.stream, stage.state, document_type))
        )
        return Head(
            next_index=head.next_index,
            latest_us=head.latest_us,
            previous=head.previous,
            keyframe_label=label,
            bytes_since_keyframe=0,
        )


def _check_repeat(action: Action, known: Action) -> None:
    same = (
        action.type == known.type
        and action.scope == known.scope
        and encode(action.input) == encode(known.input)
        and (
            action.timestamp is None
            or known.timestamp is None
            or parse(action.timestamp) == parse(known.timestamp)
        )
    )
    if not same:
        raise ActionIdConflictError(action.id)
