"""The jobs of one batch as they were asked for, and what of them is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from docreactor.agents.dead_letters import dead_letter
from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.agents.placement import Placed
from docreactor.agents.precondition import INDEX_MAX
from docreactor.agents.staging import Known, Staging, StreamStage
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import LEVELS_MAX, encode_within, may_be_nested
from docreactor.pipeline.errors import (
    NOT_OF_THE_JOB,
    DocumentErasedError,
    InvalidInputError,
    ReactorError,
)
from docreactor.pipeline.ids import check_id, check_name
from docreactor.pipeline.job import Cancellation, Load, Mutation, decode_job
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.record import check_format
from docreactor.pipeline.timestamp import parse
from docreactor.tables.operations import OperationsTable, action_key


class Asked(NamedTuple):
    """A job, its record, the stream that it is about and the keys of its actions' rows."""

    record: LogRecord
    job: Mutation | Load
    stage: StreamStage
    keys: list[bytes]


def decode(records: Sequence[LogRecord], source: TopicPartition, staging: Staging) -> list[Asked]:
    """The jobs behind records of `actions`; what is none goes to the dead letters.

    A job ends here whose names no key can carry, or whose values no record.
    """
    jobs: list[Asked] = []
    for record in records:
        actions: Sequence[Action | StoredAction]
        try:
            check_format(record.headers, source.topic)
            job = decode_job(record.value or b"")
        except ReactorError as error:
            staging.dead_letters.append(dead_letter(record, source, error))
            continue
        if isinstance(job, Mutation):
            actions = job.actions
        elif isinstance(job, Load):
            actions = [incoming.action for incoming in job.operations]
        else:
            if isinstance(job, Cancellation):
                _cancel(job, record, staging)
            continue
        try:
            _check(job, actions)
            # What is appended at once is encoded at once; what may wait must not fail later.
            if isinstance(job, Load) or may_be_nested(record.value or b"", LEVELS_MAX):
                check_values(actions)
        except InvalidInputError as error:
            staging.fail(job, record.offset, error)
            if isinstance(job, Load):
                staging.dead_letters.append(dead_letter(record, source, error))
            continue
        stage = staging.stage(Stream(job.document_id, job.scope, job.branch))
        keys = [action_key(stage.stream, action.id) for action in actions]
        jobs.append(Asked(record, job, stage, keys))
    return jobs


async def look_up(jobs: Sequence[Asked], staging: Staging, tables: WriteTables) -> None:
    """Fetch what the jobs build on: heads, known action ids, states."""
    operations, cache = tables.operations, tables.cache
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
            if stage.home is stage:
                stage.broken = _erased(stage.stream.document_id, operations)
            continue
        stage.load(head)
        try:
            stage.state = await cache.get(stage.stream)
        except NOT_OF_THE_JOB:
            raise
        except ReactorError as error:
            stage.broken = error


def fresh_actions(job: Mutation, keys: Sequence[bytes], staging: Staging) -> dict[bytes, Action]:
    """A mutation's actions that are not stored yet, by the keys of their rows.

    ActionIdConflict for another action of a known id.
    """
    fresh: dict[bytes, Action] = {}
    for key, action in zip(keys, job.actions, strict=True):
        known = staging.known.get(key)
        if known is None and key in fresh:
            known = Known(fresh[key], fresh[key].timestamp)
        if known is None:
            fresh[key] = action
        else:
            known.check(action)
    return fresh


def fresh_operations(
    job: Load, keys: Sequence[bytes], staging: Staging, others: Mapping[bytes, Placed]
) -> dict[bytes, Placed]:
    """What a load brings that neither is stored nor among the others, by the keys of its rows.

    ActionIdConflict for another action of a known id.
    """
    fresh: dict[bytes, Placed] = {}
    for key, incoming in zip(keys, job.operations, strict=True):
        action = incoming.action
        placed = fresh.get(key) or others.get(key)
        known = staging.known.get(key)
        if placed is not None:
            known = Known(placed.action, placed.action.timestamp)
        if known is None:
            fresh[key] = Placed(action, parse(action.timestamp), key, incoming, job.source)
        else:
            known.check(action)
    return fresh


def _cancel(job: Cancellation, record: LogRecord, staging: Staging) -> None:
    try:
        check_id(job.document_id, field="document_id")
    except InvalidInputError as error:
        staging.fail(job, record.offset, error)
    else:
        staging.cancellations.append((job, record.offset))


def _check(job: Mutation | Load, actions: Iterable[Action | StoredAction]) -> None:
    """InvalidInput for names that would be read as others, and for another scope's actions."""
    check_id(job.document_id, field="document_id")
    check_name(job.scope, field="scope")
    check_name(job.branch, field="branch")
    for action in actions:
        check_id(action.id, field="id")
        if action.scope != job.scope:
            raise InvalidInputError("scope", f"must be the job's own {job.scope}")
    if isinstance(job, Mutation):
        _check_index("expected_revision", job.expected_revision)
    else:
        for incoming in job.operations:
            _check_index("index", incoming.index)


def check_values(actions: Iterable[Action | StoredAction]) -> None:
    """InvalidInput for JSON that could be read but not written again."""
    for action in actions:
        _check_json("input", action.input)
        if action.context:
            _check_json("context", action.context)


def _check_json(field: str, value: Any) -> None:
    try:
        encode_within(LEVELS_MAX, value)
    except TypeError as cause:
        raise InvalidInputError(field, f"is not JSON: {cause}") from cause


def _check_index(field: str, index: int | None) -> None:
    if index is not None and not 0 <= index <= INDEX_MAX:
        raise InvalidInputError(field, "must be an index")


def _erased(document_id: str, operations: OperationsTable) -> ReactorError | None:
    """Why nothing can be written to a document without operations, if it was erased."""
    erased = operations.erased(document_id)
    return None if erased is None else DocumentErasedError(document_id, erased.erased_at)


def _known(content: bytes | None, key: bytes, stream: Stream) -> Known | None:
    """The stream's own operation as what its action id stands for; None when it is another's."""
    action = None if content is None else Operation.decode(content).action
    if action is None or action_key(stream, action.id) != key:
        return None
    return Known(action, action.timestamp)
