"""The batch as it grows, and what it answers."""

from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from docreactor.agents.log import Entry
from docreactor.agents.staging import (
    NO_OPERATIONS,
    Ended,
    Known,
    Staging,
    StreamStage,
    result_entries,
)
from docreactor.pipeline.action import Action
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import ActionIdConflictError, RevisionMismatchError
from docreactor.pipeline.job import JobResult, JobStatus, Mutation
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.keyframes import Keyframes, StoreKeyValueStore
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import Head, action_key, operation_rows

LOG_ID = "c" * 32
AT = "2024-01-01T00:00:00.000000Z"
STREAM = Stream("d1", "global", "main")
OTHER = Stream("d2", "global", "main")


def _staging() -> Staging:
    keyframes = Keyframes(StoreKeyValueStore(MemoryStore()), Settings())
    return Staging(keyframes.stage())


def _job(number: int) -> Mutation:
    return Mutation(id=f"j{number}-0", document_id="d1", branch="main", scope="global", actions=())


def _place(staging: Staging, stream: Stream, count: int = 1) -> StreamStage:
    """Stage so many actions of a job, as a placement does."""
    stage = staging.stage(stream)
    for _ in range(count):
        index = stage.head.next_index
        action = Action(id=f"a{index}", type="ADD", scope=stream.scope, input=index)
        key = action_key(stage.stream, action.id)
        staging.operations.append(Entry(record_key(stream, index), b"o"))
        staging.placed.append(key)
        staging.rows += operation_rows(record_key(stream, index), key, index, b"o")
        staging.known[key] = Known(action, AT)
        stage.head = Head(index + 1, 5, None, -1, 0)
        stage.state = _state(index)
    return stage


def _state(label: int) -> StreamState:
    return StreamState(label, 1, None, b"{}", "hash")


def _results(*ended: Ended, first_offset: int = 100, reached: int = 90) -> list[JobResult]:
    entries = result_entries(
        ended, log_id=LOG_ID, partition=3, first_offset=first_offset, reached=reached
    )
    assert [entry.key for entry in entries] == [one.job.id.encode() for one in ended]
    return [JobResult.decode(entry.value or b"") for entry in entries]


def test_a_job_that_succeeded_joins_the_batch() -> None:
    staging = _staging()
    stage = _place(staging, STREAM, count=2)
    staging.keep(STREAM, 1, b"keyframe")
    assert staging.keyframes.rows == []
    staging.succeed(_job(1), 7)
    assert stage.is_moved
    assert (stage.head.next_index, stage.state) == (2, _state(1))
    assert len(staging.operations) == len(staging.placed) == 2
    assert len(staging.rows) == 4
    known = staging.known[action_key(stage.stream, "a0")]
    assert (known.action, known.timestamp) == (
        Action(id="a0", type="ADD", scope="global", input=0),
        AT,
    )
    assert [row.value for row in staging.keyframes.rows] == [b"keyframe"]


def test_a_job_that_failed_leaves_nothing_but_its_error() -> None:
    staging = _staging()
    stage = staging.stage(STREAM)
    mark = staging.mark(stage)
    _place(staging, STREAM, count=2)
    staging.keep(STREAM, 1, b"keyframe")
    staging.undo(mark)
    staging.fail(_job(1), 7, RevisionMismatchError(expected=1, actual=2))
    assert not stage.is_moved
    assert (stage.head, stage.state) == (NO_OPERATIONS, None)
    assert (staging.operations, staging.placed, staging.rows) == ([], [], [])
    assert staging.known == {}
    assert [ended.error is None for ended in staging.ended] == [False]
    staging.succeed(_job(2), 8)
    assert staging.keyframes.rows == []


def test_a_job_that_failed_takes_nothing_of_the_jobs_before_it_along() -> None:
    staging = _staging()
    stage = staging.stage(STREAM)
    stage.load(Head(5, 4, "before", -1, 0))
    stage.state = _state(4)
    known = Known(Action(id="a4", type="ADD", scope="global"), AT)
    staging.known[action_key(stage.stream, "a4")] = known
    _place(staging, STREAM)
    staging.keep(STREAM, 5, b"keyframe")
    staging.succeed(_job(1), 7)
    before = (
        stage.head,
        stage.state,
        dict(staging.known),
        list(staging.operations),
        list(staging.placed),
        list(staging.rows),
        list(staging.keyframes.rows),
    )
    mark = staging.mark(stage)
    _place(staging, STREAM, count=3)
    staging.keep(STREAM, 7, b"never")
    staging.undo(mark)
    staging.fail(_job(2), 8, RevisionMismatchError(expected=1, actual=2))
    assert before == (
        stage.head,
        stage.state,
        staging.known,
        staging.operations,
        staging.placed,
        staging.rows,
        staging.keyframes.rows,
    )
    assert stage.is_moved


def test_a_stream_that_is_loaded_has_not_moved() -> None:
    stage = _staging().stage(STREAM)
    assert (stage.head, stage.is_moved) == (NO_OPERATIONS, False)
    stage.load(Head(2, 5, None, -1, 0))
    assert not stage.is_moved
    stage.head = Head(3, 6, None, -1, 0)
    assert stage.is_moved


def test_a_stream_is_staged_once_and_with_its_home() -> None:
    staging = _staging()
    stage = staging.stage(STREAM)
    assert staging.stage(STREAM) is stage
    assert stage.home is staging.stage(STREAM.home)
    assert stage.home.home is stage.home
    assert set(staging.streams) == {STREAM, STREAM.home}
    assert stage.document is None
    document = Document(
        id="d1",
        document_type="t",
        slug="d1",
        name=None,
        branch="main",
        created_at=AT,
        protocol_versions={},
        meta={},
    )
    stage.home.state = _state(0)._replace(state=document)
    assert stage.document is stage.home.document is document


def test_the_newest_state_of_a_stream_wins() -> None:
    staging = _staging()
    for number, stream in enumerate((STREAM, OTHER, STREAM)):
        _place(staging, stream)
        staging.succeed(_job(number), number)
    assert staging.stage(STREAM).head.next_index == 2
    assert staging.stage(STREAM).state == _state(1)
    moved = {stream for stream, stage in staging.streams.items() if stage.is_moved}
    assert moved == {STREAM, OTHER}


def test_jobs_end_in_the_order_in_which_they_came() -> None:
    staging = _staging()
    _place(staging, STREAM, count=2)
    staging.succeed(_job(1), 7)
    staging.fail(_job(2), 8, RevisionMismatchError(expected=1, actual=2))
    staging.succeed(_job(3), 9)
    _place(staging, STREAM)
    staging.succeed(_job(4), 10)
    ended = [(one.job.id, one.offset, one.operations_until) for one in staging.ended]
    assert ended == [("j1-0", 7, 2), ("j2-0", 8, 2), ("j3-0", 9, 2), ("j4-0", 10, 3)]


KNOWN: dict[str, Any] = {"id": "a1", "type": "ADD", "scope": "global", "input": {"a": 1, "b": 2}}


def _known(action: Action) -> Known:
    return Known(action, action.timestamp)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({}, {}),
        ({}, {"input": {"b": 2, "a": 1}}),
        ({}, {"context": {"signer": {"address": "x"}}}),
        ({"timestamp": AT}, {"timestamp": "2024-01-01T00:00:00.000Z"}),
        ({"timestamp": AT}, {}),
        ({}, {"timestamp": AT}),
    ],
)
def test_the_same_action_may_come_again(first: dict[str, Any], again: dict[str, Any]) -> None:
    _known(Action(**KNOWN | first)).check(Action(**KNOWN | again))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "SUBTRACT"},
        {"scope": "local"},
        {"input": {"a": 1, "b": 2.0}},
        {"timestamp": "2024-01-01T00:00:01Z"},
    ],
)
def test_another_action_of_a_known_id_is_a_conflict(change: dict[str, Any]) -> None:
    known = Action(**KNOWN, timestamp=AT)
    with pytest.raises(ActionIdConflictError, match="a1"):
        _known(known).check(Action(**KNOWN | change))


def test_an_id_that_another_scope_holds_is_a_conflict() -> None:
    with pytest.raises(ActionIdConflictError, match="a1"):
        Known(None, None).check(Action(**KNOWN))


@pytest.mark.parametrize(("operations_until", "next_offset"), [(0, 90), (1, 101), (5, 105)])
def test_a_token_is_the_offset_after_the_jobs_last_operation(
    operations_until: int, next_offset: int
) -> None:
    (result,) = _results(Ended(_job(1), 7, operations_until, None))
    assert result.token == f"{LOG_ID}.3-{next_offset}"
    assert (result.status, result.error) == (JobStatus.WRITE_READY, None)


@pytest.mark.parametrize(
    ("covers", "parts"),
    [
        (f"{LOG_ID}.1-7", "1-7_3-105"),
        (f"{LOG_ID}.3-700", "3-700"),
        (f"{LOG_ID}.", "3-105"),
        (f"{'d' * 32}.1-7", "3-105"),
        ("nonsense", "3-105"),
    ],
)
def test_a_token_covers_the_write_that_belongs_to_the_job(covers: str, parts: str) -> None:
    (result,) = _results(Ended(replace(_job(1), covers=covers), 7, 5, None))
    assert result.token == f"{LOG_ID}.{parts}"


def test_a_failed_job_has_its_problem_and_no_token() -> None:
    error = RevisionMismatchError(expected=1, actual=2)
    (result,) = _results(Ended(_job(1), 7, 4, error))
    assert (result.status, result.token) == (JobStatus.FAILED, "")
    assert result.error is not None
    assert result.error["expected"] == 1


def test_a_result_names_what_it_is_about() -> None:
    (result,) = _results(Ended(_job(1), 7, 1, None))
    assert (result.document_id, result.scope, result.branch) == ("d1", "global", "main")
    assert (result.offset, result.retry_count) == (7, 0)


def test_a_result_is_written_as_canonical_json() -> None:
    (entry,) = result_entries(
        [Ended(_job(1), 7, 1, None)], log_id=LOG_ID, partition=3, first_offset=0, reached=0
    )
    content: dict[str, Any] = orjson.loads(entry.value or b"")
    assert list(content) == sorted(JobResult.model_fields.keys() - {"held_by"})
