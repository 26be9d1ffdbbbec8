"""What a mutation demands of its stream."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.agents.precondition import check_context, check_revision, check_upgrade, is_same
from docreactor.agents.staging import NO_OPERATIONS, StreamStage
from docreactor.pipeline.action import Action
from docreactor.pipeline.errors import (
    InvalidInputError,
    RevisionMismatchError,
    UpgradePreconditionFailedError,
)
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.stream_state import StreamState
from tests.support.notation import action, at, told, upgrade
from tests.support.replicas import HOME, MAIN


def _stage(next_index: int, stream: Stream = MAIN, hashed: str = "h") -> StreamStage:
    home = None if stream == stream.home else StreamStage(stream.home, None)
    stage = StreamStage(stream, home)
    stage.load(NO_OPERATIONS._replace(next_index=next_index))
    if next_index:
        stage.state = StreamState(next_index - 1, 1, None, b"", hashed)
    return stage


def _job(expected_revision: int | None) -> Mutation:
    return Mutation("j-0", "d1", "main", "global", (), expected_revision)


@pytest.mark.parametrize("expected", [None, 3])
def test_the_revision_asked_for_is_the_next_index(expected: int | None) -> None:
    check_revision(_job(expected), _stage(3))


@pytest.mark.parametrize("expected", [0, 2, 4])
def test_another_revision_is_told_with_the_real_one(expected: int) -> None:
    with pytest.raises(RevisionMismatchError) as caught:
        check_revision(_job(expected), _stage(3))
    assert (caught.value.facts["expected"], caught.value.facts["actual"]) == (expected, 3)


@pytest.mark.parametrize(
    ("next_index", "context"),
    [
        (3, {"prev_op_index": 2}),
        (3, {"prev_op_hash": "h"}),
        (3, {"prev_op_index": 2, "prev_op_hash": "h", "signer": {}}),
        (0, {"prev_op_index": -1, "prev_op_hash": ""}),
        (3, {"nonce": "any"}),
    ],
)
def test_what_stands_last_may_be_asked_for(next_index: int, context: dict[str, Any]) -> None:
    check_context(context, _stage(next_index))


@pytest.mark.parametrize(
    ("next_index", "context"),
    [
        (3, {"prev_op_index": 1}),
        (3, {"prev_op_index": -1}),
        (3, {"prev_op_hash": "another"}),
        (3, {"prev_op_index": 2, "prev_op_hash": ""}),
        (0, {"prev_op_index": 0}),
        (0, {"prev_op_hash": "h"}),
    ],
)
def test_anything_else_that_stands_last_is_a_mismatch(
    next_index: int, context: dict[str, Any]
) -> None:
    with pytest.raises(RevisionMismatchError):
        check_context(context, _stage(next_index))


def test_a_mismatch_of_hashes_tells_both() -> None:
    with pytest.raises(RevisionMismatchError) as caught:
        check_context({"prev_op_hash": "another"}, _stage(3))
    facts = caught.value.facts
    assert (facts["expected_hash"], facts["actual_hash"]) == ("another", "h")


@pytest.mark.parametrize("index", ["2", 2.0, True])
def test_an_index_is_a_whole_number(index: object) -> None:
    with pytest.raises(InvalidInputError, match="prev_op_index"):
        check_context({"prev_op_index": index}, _stage(3))


@pytest.mark.parametrize(
    ("from_version", "to_version", "same"), [(1, 1, True), (1, 2, False), (2, 2, False)]
)
def test_an_upgrade_to_the_version_there_is_is_none(
    from_version: int, to_version: int, same: bool
) -> None:
    assert is_same(upgrade("u", from_version, to_version), None) == same


def test_an_upgrade_names_the_revisions_it_was_made_for() -> None:
    siblings = [_stage(3), _stage(1, MAIN._replace(scope="local"))]
    given = {"document": 2, "global": 3, "local": 1}
    check_upgrade(upgrade("u", revision=given), _stage(2, HOME), siblings)
    check_upgrade(upgrade("u"), _stage(2, HOME), siblings)


@pytest.mark.parametrize(
    "revision",
    [
        {"document": 2, "global": 2, "local": 1},
        {"document": 2, "global": 3},
        {"document": 2, "global": 3, "local": 1, "other": 1},
        {"global": 3, "local": 1},
        {},
    ],
)
def test_one_scope_that_stands_elsewhere_is_enough_to_refuse(revision: dict[str, int]) -> None:
    siblings = [_stage(3), _stage(1, MAIN._replace(scope="local"))]
    with pytest.raises(UpgradePreconditionFailedError, match="the revision of scope"):
        check_upgrade(upgrade("u", revision=revision), _stage(2, HOME), siblings)


async def test_a_job_whose_demand_is_not_met_stores_nothing() -> None:
    replica = await told("A@1", "B@2")
    hashed = replica.stored(MAIN)[-1].hash
    right = {"prev_op_index": 1, "prev_op_hash": hashed}
    for wrong in ({"prev_op_index": 0}, {"prev_op_hash": replica.stored(MAIN)[0].hash}):
        late = Action("C", "ADD", "global", None, {"word": "C"}, wrong)
        assert await replica.mutate(late) == "RevisionMismatch"
        assert await replica.mutate(Action("u", "UNDO", "global", context=wrong)) == (
            "RevisionMismatch"
        )
    assert replica.log() == "0:0:A 1:0:B"
    assert await replica.mutate(Action("u", "UNDO", "global", context=right)) is None
    assert replica.words == ["A"]


async def test_each_action_of_a_job_may_name_the_one_before_it() -> None:
    replica = await told("A@1")
    first = Action("B", "ADD", "global", None, {"word": "B"}, {"prev_op_index": 0})
    second = Action("C", "ADD", "global", None, {"word": "C"}, {"prev_op_index": 1})
    assert await replica.mutate(first, second) is None
    third = Action("D", "ADD", "global", None, {"word": "D"}, {"prev_op_index": 1})
    assert await replica.mutate("X", third) == "RevisionMismatch"
    assert replica.words == ["A", "B", "C"]


@pytest.mark.parametrize("index", [0, 2])
async def test_an_undo_in_a_job_is_held_to_the_operation_before_it_too(index: int) -> None:
    replica = await told("A@1")
    undo = Action("u", "UNDO", "global", context={"prev_op_index": index})
    assert await replica.mutate("B", undo) == "RevisionMismatch"
    assert replica.log() == "0:0:A"
    hashed = Action("r", "UNDO", "global", context={"prev_op_index": 1})
    assert await replica.mutate("B", hashed) is None


async def test_an_action_of_an_earlier_time_names_what_was_stored_last() -> None:
    replica = await told("A@10", "B@20")
    stored = replica.stored(MAIN)
    for index, error in ((0, "RevisionMismatch"), (1, None)):
        context = {"prev_op_index": index, "prev_op_hash": stored[index].hash}
        early = Action("C", "ADD", "global", at(5), {"word": "C"}, context)
        assert await replica.mutate(early) == error
    assert replica.log() == "0:0:A 1:0:B 2:2:C 3:0:A 4:0:B"


async def test_what_came_already_is_not_asked_again_what_it_demanded() -> None:
    replica = await told("A@1")
    demanding = Action("B", "ADD", "global", None, {"word": "B"}, {"prev_op_index": 0})
    assert await replica.mutate(demanding) is None
    assert await replica.mutate(demanding) is None
    assert await replica.mutate("C@3", expected_revision=2) is None
    assert await replica.mutate("C@3", expected_revision=2) is None
    assert replica.log() == "0:0:A 1:0:B 2:0:C"


async def test_a_load_demands_nothing() -> None:
    replica = await told("A@1")
    demanding = action("B@2")
    context = {"prev_op_index": 900, "prev_op_hash": "of elsewhere"}
    elsewhere = Action("B", "ADD", "global", demanding.timestamp, demanding.input, context)
    assert await replica.bring(elsewhere) is None
    assert replica.stored(MAIN)[-1].action.context == context
