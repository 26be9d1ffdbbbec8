"""Puts one action into its place of a stream."""

from typing import Any

import pytest

from docreactor.agents.deadline import Deadline
from docreactor.agents.placement import Placement
from docreactor.agents.staging import JobStage
from docreactor.pipeline.action import Action
from docreactor.pipeline.errors import InvalidInputError, InvalidOperationTimestampError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.reduce import NOTHING
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds, parse, render
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import Head, OperationsTable
from tests.support.ledger import ledger

NOW = parse("2026-11-21T12:00:00Z")
HOME = Stream("d1", "document", "main")


def _placement(**settings: object) -> Placement:
    given = Settings.model_validate({"app": "test"} | settings)
    return Placement(
        Registry([ledger]),
        given,
        OperationsTable(MemoryStore()),
        Keyframes(MemoryKeyValueStore(), given),
        deadline=Deadline(5.0),
        now_us=lambda: NOW,
    )


def _creation() -> JobStage:
    return JobStage(HOME, Head(0, -1, None, -1, 0), NOTHING, None)


def _create(**changes: Any) -> Action:
    given = {"model": "test/ledger", "document_id": "d1"}
    fields: dict[str, Any] = {
        "id": "a1",
        "type": "CREATE_DOCUMENT",
        "scope": "document",
        "input": given,
    }
    return Action(**fields | changes)


def _ledger(placement: Placement) -> JobStage:
    stage = _creation()
    placement.place(_create(), stage)
    versions = {"from_version": 0, "to_version": 1}
    given = {"model": "test/ledger", "document_id": "d1"} | versions
    placement.place(_create(id="a2", type="UPGRADE_DOCUMENT", input=given), stage)
    return stage


def test_an_action_without_a_time_gets_the_present_one() -> None:
    stage = _creation()
    _placement().place(_create(), stage)
    operation = Operation.decode(stage.operations[0].value or b"")
    assert operation.timestamp == operation.action.timestamp == render(NOW)


def test_within_one_instant_each_action_is_a_microsecond_later() -> None:
    stage = _ledger(_placement())
    stamps = [Operation.decode(one.value or b"").timestamp for one in stage.operations]
    assert stamps == [render(NOW), render(Microseconds(NOW + 1))]


def test_a_clock_that_went_back_does_not_take_the_stream_along() -> None:
    stage = _creation()
    stage.head = stage.head._replace(latest_us=NOW + 1_000)
    _placement().place(_create(), stage)
    assert stage.head.latest_us == NOW + 1_001


@pytest.mark.parametrize("stamp", ["2026-11-21T12:05:01Z", "9999-12-31T23:59:59.999999Z"])
def test_a_time_too_far_ahead_is_refused(stamp: str) -> None:
    with pytest.raises(InvalidOperationTimestampError, match="ahead"):
        _placement().place(_create(timestamp=stamp), _creation())


def test_an_action_of_another_scope_than_its_job_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="scope"):
        _placement().place(_create(scope="global"), _creation())


def test_what_is_staged_names_its_stream_and_its_index() -> None:
    stage = _ledger(_placement())
    assert [one.key for one in stage.operations] == [
        b"d1/document/main/0000000000",
        b"d1/document/main/0000000001",
    ]
    assert stage.head.next_index == 2
    assert stage.document is not None
    assert stage.document.version == 1


def test_a_state_is_kept_when_its_keyframe_is_due() -> None:
    placement = _placement(keyframe_policy="fixed", keyframe_interval=1)
    stage = _ledger(placement)
    assert [label for label, _ in stage.keyframes] == [1]
    assert stage.head.keyframe_label == 1
    assert stage.head.bytes_since_keyframe == 0
