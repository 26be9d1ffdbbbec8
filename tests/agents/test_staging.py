"""The batch as it grows, and what it answers."""

from typing import Any

import orjson
import pytest

from docreactor.agents.log import Entry
from docreactor.agents.staging import Ended, JobStage, Known, Staging, result_entries
from docreactor.pipeline.action import Action
from docreactor.pipeline.errors import ActionIdConflictError, RevisionMismatchError
from docreactor.pipeline.job import JobResult, JobStatus, Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.keyframes import Keyframes, StoreKeyValueStore
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import Head
from docreactor.tables.store import Row

LOG_ID = "c" * 32
STREAM = Stream("d1", "global", "main")
OTHER = Stream("d2", "global", "main")


def _staging() -> Staging:
    keyframes = Keyframes(StoreKeyValueStore(MemoryStore()), Settings())
    return Staging(keyframes.stage())


def _job(number: int) -> Mutation:
    return Mutation(id=f"j{number}-0", document_id="d1", branch="main", scope="global", actions=())


def _stage(stream: Stream, next_index: int, count: int = 1) -> JobStage:
    """What a job of so many actions adds, the stream then being at this revision."""
    stage = JobStage(stream, Head(next_index, 5, None, -1, 0), _state(next_index - 1), None)
    for at in range(count):
        action = Action(id=f"a{next_index}-{at}", type="ADD", scope="global", input=at)
        stage.operations.append(Entry(b"k", b"o"))
        stage.rows.append(Row(b"k", b"o"))
        stage.actions.append((action, "2024-01-01T00:00:00.000000Z"))
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
    stage = _stage(STREAM, next_index=2, count=2)
    stage.keyframes.append((1, b"keyframe"))
    staging.succeed(_job(1), 7, stage)
    assert staging.heads[STREAM] == stage.head
    assert staging.states[STREAM] == stage.state
    assert staging.touched == {STREAM}
    assert len(staging.operations) == len(staging.rows) == 2
    assert staging.known[STREAM, "a2-0"] == Known("ADD", "global", 0, "2024-01-01T00:00:00.000000Z")
    assert [row.value for row in staging.keyframes.rows] == [b"keyframe"]


def test_a_job_that_failed_leaves_nothing_but_its_error() -> None:
    staging = _staging()
    staging.fail(_job(1), 7, RevisionMismatchError(expected=1, actual=2))
    assert (staging.operations, staging.rows, staging.touched) == ([], [], set())
    assert [ended.error is None for ended in staging.ended] == [False]


def test_the_newest_state_of_a_stream_wins() -> None:
    staging = _staging()
    staging.succeed(_job(1), 7, _stage(STREAM, next_index=1))
    staging.succeed(_job(2), 8, _stage(OTHER, next_index=1))
    staging.succeed(_job(3), 9, _stage(STREAM, next_index=2))
    head = staging.heads[STREAM]
    assert head is not None
    assert head.next_index == 2
    assert staging.touched == {STREAM, OTHER}


def test_jobs_end_in_the_order_in_which_they_came() -> None:
    staging = _staging()
    staging.succeed(_job(1), 7, _stage(STREAM, next_index=2, count=2))
    staging.fail(_job(2), 8, RevisionMismatchError(expected=1, actual=2))
    staging.succeed(_job(3), 9, None)
    staging.succeed(_job(4), 10, _stage(STREAM, next_index=3))
    ended = [(one.job.id, one.offset, one.operations_until) for one in staging.ended]
    assert ended == [("j1-0", 7, 2), ("j2-0", 8, 2), ("j3-0", 9, 2), ("j4-0", 10, 3)]


KNOWN: dict[str, Any] = {"id": "a1", "type": "ADD", "scope": "global", "input": {"a": 1, "b": 2}}
AT = "2024-01-01T00:00:00Z"


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
    Known.of(Action(**KNOWN | first)).check(Action(**KNOWN | again))


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
        Known.of(known).check(Action(**KNOWN | change))


@pytest.mark.parametrize(("operations_until", "next_offset"), [(0, 90), (1, 101), (5, 105)])
def test_a_token_is_the_offset_after_the_jobs_last_operation(
    operations_until: int, next_offset: int
) -> None:
    (result,) = _results(Ended(_job(1), 7, operations_until, None))
    assert result.token == f"{LOG_ID}.3-{next_offset}"
    assert (result.status, result.error) == (JobStatus.WRITE_READY, None)


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
    assert list(content) == sorted(JobResult.model_fields)
