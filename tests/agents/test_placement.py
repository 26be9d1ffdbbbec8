"""Puts one action into its place of a stream."""

from typing import Any

import pytest

from docreactor.agents.placement import Placed, Placement
from docreactor.agents.staging import Known, Staging, StreamStage
from docreactor.pipeline.action import Action
from docreactor.pipeline.bound import UNBOUNDED
from docreactor.pipeline.errors import (
    DocumentNotFoundError,
    InvalidInputError,
)
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds, parse, render
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore
from docreactor.tables.operations import action_key
from tests.support.ledger import ledger

NOW = parse("2026-11-21T12:00:00Z")
HOME = Stream("d1", "document", "main")
STREAM = Stream("d1", "global", "main")


class Place:
    """A batch of the stream `HOME`, and what puts actions into it."""

    def __init__(self, **settings: object) -> None:
        given = Settings.model_validate({"app": "test"} | settings)
        keyframes = Keyframes(MemoryKeyValueStore(), given)
        self.placement = Placement(Registry([ledger]), given, keyframes, bound=UNBOUNDED)
        self.staging = Staging(keyframes.stage())
        self.stage = self.staging.stage(HOME)

    def place(self, action: Action, stage: StreamStage | None = None) -> None:
        stage = stage or self.stage
        moment = Microseconds(max(NOW, stage.head.latest_us + 1))
        placed = Placed(action, moment, _key(action.id, stage.stream))
        self.placement.append(placed, stage, self.staging)

    def create(self) -> None:
        """Creation and first upgrade."""
        self.place(_create())
        versions = {"from_version": 0, "to_version": 1}
        given = {"model": "test/ledger", "document_id": "d1"} | versions
        self.place(_create(id="a2", type="UPGRADE_DOCUMENT", input=given))

    @property
    def operations(self) -> list[Operation]:
        return [Operation.decode(entry.value or b"") for entry in self.staging.operations]


def _key(action_id: str, stream: Stream = HOME) -> bytes:
    return action_key(stream, action_id)


def _create(**changes: Any) -> Action:
    given = {"model": "test/ledger", "document_id": "d1"}
    fields: dict[str, Any] = {
        "id": "a1",
        "type": "CREATE_DOCUMENT",
        "scope": "document",
        "input": given,
    }
    return Action(**fields | changes)


def _add(**changes: Any) -> Action:
    fields: dict[str, Any] = {"id": "b1", "type": "ADD", "scope": "global", "input": {"amount": 1}}
    return Action(**fields | changes)


def test_an_action_without_a_time_gets_the_present_one() -> None:
    place = Place()
    place.place(_create())
    (operation,) = place.operations
    assert operation.timestamp == operation.action.timestamp == render(NOW)


def test_within_one_instant_each_action_is_a_microsecond_later() -> None:
    place = Place()
    place.create()
    stamps = [operation.timestamp for operation in place.operations]
    assert stamps == [render(NOW), render(Microseconds(NOW + 1))]


def test_an_action_of_another_scope_than_its_job_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="scope"):
        Place().place(_create(scope="global"))


def test_a_scope_of_no_document_is_refused() -> None:
    place = Place()
    with pytest.raises(DocumentNotFoundError):
        place.place(_add(), place.staging.stage(STREAM))


def _nested(levels: int) -> Any:
    value: Any = None
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [2**64, "\ud800", _nested(300)])
@pytest.mark.parametrize("field", ["input", "context"])
def test_what_cannot_be_stored_as_json_is_refused(field: str, value: Any) -> None:
    place = Place()
    place.create()
    action = _add(**{field: {"amount": 1, "note": value}})
    with pytest.raises(InvalidInputError, match=f"{field}: is not JSON: "):
        place.place(action, place.staging.stage(STREAM))
    assert len(place.staging.operations) == 2


def test_what_is_staged_names_its_stream_and_its_index() -> None:
    place = Place()
    place.create()
    assert [one.key for one in place.staging.operations] == [
        b"d1/document/main/0000000000",
        b"d1/document/main/0000000001",
    ]
    assert place.stage.head.next_index == 2
    assert place.stage.document is not None
    assert place.stage.document.version == 1


def test_what_is_staged_is_found_by_its_action_from_here_on() -> None:
    place = Place()
    place.create()
    assert place.staging.placed == [_key("a1"), _key("a2")]
    assert place.staging.known[_key("a1")] == Known(_create(), render(NOW))
    keys = [key for key, _ in place.staging.rows]
    assert keys == [
        b"o/d1/document/main/0000000000",
        _key("a1"),
        b"o/d1/document/main/0000000001",
        _key("a2"),
    ]


def test_an_operation_is_stored_as_its_own_canonical_bytes() -> None:
    place = Place()
    place.create()
    signed = _add(input={"note": "é", "amount": 1}, context={"signer": {"address": "x"}})
    place.place(signed, place.staging.stage(STREAM))
    for entry, operation in zip(place.staging.operations, place.operations, strict=True):
        assert operation.encode() == entry.value
    stored = place.operations[-1].action
    assert (stored.input, stored.context) == (signed.input, signed.context)


def test_a_state_is_kept_when_its_keyframe_is_due_and_the_job_succeeds() -> None:
    place = Place(keyframe_policy="fixed", keyframe_interval=1)
    place.create()
    assert place.stage.head.keyframe_label == 1
    assert place.stage.head.bytes_since_keyframe == 0
    assert place.staging.keyframes.rows == []
    job = Mutation(id="j-0", document_id="d1", branch="main", scope="document", actions=())
    place.staging.succeed(job, 0)
    assert [row.key for row in place.staging.keyframes.rows] == [record_key(HOME, 1)]


def test_without_a_keyframe_the_bytes_since_the_last_one_add_up() -> None:
    place = Place()
    place.create()
    sizes = [len(one.value or b"") for one in place.staging.operations]
    assert place.stage.head.keyframe_label == -1
    assert place.stage.head.bytes_since_keyframe == sum(sizes)


def test_what_is_said_of_a_document_counts_against_the_limit() -> None:
    place = Place(document_bytes_max=1_000)
    place.create()
    for key in ("one", "two"):
        given = {"key": key, "value": "x" * 600}
        place.place(_create(id=key, type="SET_META", input=given))
    errors = [operation.error for operation in place.operations[-2:]]
    assert errors[0] is None
    assert str(errors[1]).startswith("DocumentTooLarge")
    assert place.stage.state is not None
    assert [*place.stage.state.facts] == ["meta/one"]
