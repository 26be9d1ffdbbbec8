"""Jobs as nobody would send them: each ends, by itself, and what was stored is shown."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from docreactor.agents.staging import result_entries
from docreactor.pipeline.action import Action
from docreactor.pipeline.context import Context
from docreactor.pipeline.job import Incoming, Job, Load
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.operation import StoredAction
from tests.support.replicas import DOCUMENT, HOME, MAIN, Record, Replica

LONG_AGO = "2000-01-01T00:00:00.000000Z"
LATER = "2030-01-01T00:00:00.000000Z"
GIVEN: dict[str, Any] = {"model": "test/words", "document_id": DOCUMENT}


async def decided(replica: Replica, *jobs: Job) -> list[str | None]:
    """Decide jobs as a batch from their bytes, write, show and answer them; each one's error."""
    first = replica.consumed
    replica.consumed += len(jobs)
    records: list[Any] = [
        Record(first + at, b"any", msgspec.json.encode(job)) for at, job in enumerate(jobs)
    ]
    staging = await replica.reducer.reduce(records)
    result_entries(staging.ended, log_id="0" * 32, partition=0, first_offset=0, reached=0)
    names = await replica.take(staging)
    assert list(replica.documents.quarantined()) == []
    return names


def load(stream: Stream, *actions: StoredAction, job_id: str = "l1-0") -> Load:
    document_id, scope, branch = stream
    return Load(job_id, document_id, branch, scope, tuple(Incoming(one) for one in actions))


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("timestamp", [LONG_AGO, LATER])
async def test_a_loaded_creation_that_cannot_be_is_refused_wherever_it_would_stand(
    timestamp: str,
) -> None:
    wrong = load(HOME, StoredAction("c0", "CREATE_DOCUMENT", "document", timestamp, None))
    nothing, created = Replica("a"), Replica("b")
    await created.create()
    assert await decided(nothing, wrong) == ["InvalidInput"]
    assert await decided(created, wrong) == ["InvalidInput"]
    assert len(created.stored(HOME)) == 2


def number(value: Any) -> dict[str, Any]:
    return {**GIVEN, "from_version": 1, "to_version": value}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("UPGRADE_DOCUMENT", number("9" * 30)),
        ("UPGRADE_DOCUMENT", number("3")),
        ("UPGRADE_DOCUMENT", number(3.0)),
        ("UPGRADE_DOCUMENT", number(2**53)),
        ("UPGRADE_DOCUMENT", {**number(2), "from_version": "1"}),
        ("UPGRADE_DOCUMENT", {**number(1), "from_version": "0"}),
        ("UPGRADE_DOCUMENT", {**number(1), "from_version": False}),
        ("UPGRADE_DOCUMENT", {**number(2), "revision": {"global": "9" * 30}}),
        ("CREATE_DOCUMENT", {**GIVEN, "protocol_versions": {"base-reducer": "9" * 30}}),
        ("CREATE_DOCUMENT", {**GIVEN, "version": "9" * 30}),
    ],
)
async def test_what_is_no_number_is_no_version(kind: str, given: dict[str, Any]) -> None:
    replica = Replica("a")
    if kind == "UPGRADE_DOCUMENT":
        await replica.create()
        stored = StoredAction("u", kind, "document", LATER, given)
        assert await decided(replica, load(HOME, stored)) == [None]
        assert (replica.stored(HOME)[-1].error or "").startswith("InvalidInput: ")
    asked = replica.mutation(HOME, [Action("x", kind, "document", input=given)])
    assert await decided(replica, asked) == ["InvalidInput"]


async def test_values_nested_too_deep_for_a_row_are_no_values() -> None:
    replica = Replica("a")
    creation = {**GIVEN, "meta": nested(110)}
    asked = replica.mutation(HOME, [Action("x", "CREATE_DOCUMENT", "document", input=creation)])
    assert await decided(replica, asked) == ["InvalidInput"]
    await replica.create()
    for stream in (HOME, MAIN):
        given = {"key": "deep", "value": nested(110)}
        asked = replica.mutation(stream, [Action("m", "SET_META", stream.scope, input=given)])
        assert await decided(replica, asked) == ["InvalidInput"]
        stored = StoredAction("n" + stream.scope, "SET_META", stream.scope, LATER, given)
        assert await decided(replica, load(stream, stored)) == [None]
        assert (replica.stored(stream)[-1].error or "").startswith("InvalidInput: ")
        given = {"key": "deep", "value": nested(99)}
        shown = Action("s" + stream.scope, "SET_META", stream.scope, input=given)
        assert await decided(replica, replica.mutation(stream, [shown])) == [None]


async def test_an_upgrade_of_another_model_is_refused_by_name() -> None:
    replica = Replica("a")
    await replica.create()
    given = {**GIVEN, "model": "test/another", "from_version": 1, "to_version": 9}
    asked = replica.mutation(HOME, [Action("x", "UPGRADE_DOCUMENT", "document", input=given)])
    assert await decided(replica, asked) == ["InvalidInput"]
    stored = StoredAction("y", "UPGRADE_DOCUMENT", "document", LATER, given)
    assert await decided(replica, load(HOME, stored)) == [None]
    assert (
        replica.stored(HOME)[-1].error
        == "InvalidInput: model: is not the document's own test/words"
    )


@pytest.mark.parametrize("index", [2**63, 2**64 - 1, 10**30, -2, True, "0", 0.0, []])
async def test_an_index_that_no_stream_can_have_is_none(index: Any) -> None:
    replica = Replica("a")
    await replica.create()
    context = {"prev_op_index": index}
    asked = Action("x", "ADD", "global", input={"word": "ash"}, context=context)
    assert await decided(replica, replica.mutation(MAIN, [asked])) == ["InvalidInput"]
    if type(index) is int:
        job = replica.mutation(MAIN, [Action("y", "NOOP", "global")], expected_revision=index)
        assert await decided(replica, job) == ["InvalidInput"]


def named(**changes: Any) -> dict[str, Any]:
    fields = {"document_id": DOCUMENT, "branch": "main", "scope": "global", "action_id": "x"}
    return fields | changes


@pytest.mark.parametrize("is_load", [True, False])
@pytest.mark.parametrize(
    "names",
    [
        named(document_id="a/b"),
        named(document_id=""),
        named(scope="a/b"),
        named(branch="é"),
        named(action_id='a"b'),
        named(action_id=""),
        named(action_scope="document"),
    ],
)
async def test_a_job_whose_names_no_key_can_carry_fails(
    names: dict[str, Any], is_load: bool
) -> None:
    replica = Replica("a")
    await replica.create()
    stream = Stream(names["document_id"], names["scope"], names["branch"])
    scope = names.get("action_scope", names["scope"])
    for kind in ("UNDO", "CREATE_DOCUMENT", "NOOP"):
        asked = replica.mutation(stream, [Action(names["action_id"], kind, scope)])
        stored = load(stream, StoredAction(names["action_id"], kind, scope, LATER))
        assert await decided(replica, stored if is_load else asked) == ["InvalidInput"]
    assert replica.stored(stream) == []


async def test_a_job_without_actions_stores_nothing() -> None:
    nothing, replica = Replica("a"), Replica("b")
    waiting = load(HOME, StoredAction("x", "NOOP", "document", LATER))
    assert await decided(nothing, waiting, nothing.mutation(HOME, []), load(HOME)) == []
    await replica.create()
    assert await decided(replica, replica.mutation(MAIN, []), load(MAIN)) == [None, None]
    assert replica.stored(MAIN) == []


class Speechless(Exception):
    """It cannot say what went wrong."""

    def __str__(self) -> str:
        raise LookupError


odd = DocumentModel("test/words", state=dict)
FAILURES: dict[str, BaseException] = {
    "Speechless: ": Speechless(),
    "ValueError: \\ud800": ValueError("\ud800"),
    "SystemExit: 1": SystemExit(1),
    "GeneratorExit: ": GeneratorExit(),
    "CancelledError: ": asyncio.CancelledError(),
}


@odd.action
def fail(_: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Raises what nobody would."""
    raise FAILURES[given["as"]]


async def oddly() -> Replica:
    replica = Replica("a", models=(odd,))
    await replica.create()
    return replica


@pytest.mark.parametrize("error", FAILURES)
async def test_whatever_a_reducer_raises_is_the_error_of_its_operation(error: str) -> None:
    replica = await oddly()
    given = {"as": error}
    asked = replica.mutation(MAIN, [Action("x", "FAIL", "global", input=given)])
    stored = load(MAIN, StoredAction("y", "FAIL", "global", LATER, given))
    assert await decided(replica, asked) == [None]
    assert await decided(replica, stored) == [None]
    assert [one.error for one in replica.stored(MAIN)] == [error, error]


@odd.action
def sign(_: dict[str, Any], _given: dict[str, Any], context: Context) -> dict[str, Any]:
    """The signer, in the order that the reducer sees."""
    signer: Any = context.signer
    with suppress(TypeError):
        signer["seen"] = True
    return {"signer": list(signer)}


async def test_a_reducer_sees_the_signer_as_it_is_stored_and_cannot_change_it() -> None:
    replica = await oddly()
    context = {"signer": {"name": "b", "key": {"x": [1]}}}
    asked = replica.mutation(MAIN, [Action("x", "SIGN", "global", None, {}, context)])
    stored = load(MAIN, StoredAction("y", "SIGN", "global", LATER, {}, context))
    assert await decided(replica, asked, stored) == [None, None]
    assert [one.action.context for one in replica.stored(MAIN)] == [context, context]


@pytest.mark.parametrize("kind", ["NOOP", "UNDO", "SET_NAME", "DELETE_DOCUMENT"])
@pytest.mark.parametrize("stream", [HOME, MAIN])
async def test_an_error_names_the_same_field_in_whichever_order_they_came(
    stream: Stream, kind: str
) -> None:
    errors: list[str | None] = []
    for given in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        replica = Replica("a")
        await replica.create()
        stored = StoredAction("x", kind, stream.scope, LATER, given)
        assert await decided(replica, load(stream, stored)) == [None]
        errors.append(replica.stored(stream)[-1].error)
    assert errors[0] == errors[1] is not None


@pytest.mark.parametrize("value", [nested(121), nested(251), nested(254), nested(300), 10**30])
async def test_what_no_record_could_hold_is_stored_nowhere_and_waits_for_nothing(
    value: Any,
) -> None:
    nothing, created = Replica("a"), Replica("b")
    await created.create()
    given = load(MAIN, StoredAction("x", "ADD", "global", LATER, value))
    context = load(MAIN, StoredAction("x", "ADD", "global", LATER, None, {"any": value}))
    far = msgspec.structs.replace(
        given, operations=(Incoming(StoredAction("x", "NOOP", "global", LATER), index=10**30),)
    )
    for wrong in (given, context, far):
        assert await decided(nothing, wrong) == ["InvalidInput"]
        assert await decided(created, wrong) == ["InvalidInput"]
    asked = created.mutation(MAIN, [Action("x", "ADD", "global", input=value)], depends_on=("j",))
    assert await decided(created, asked) == ["InvalidInput"]


async def test_a_creation_that_is_known_opens_no_deleted_document() -> None:
    replica = Replica("a")
    await replica.create()
    deletion = Action("x", "DELETE_DOCUMENT", "document", input={"document_id": DOCUMENT})
    assert await decided(replica, replica.mutation(HOME, [deletion])) == [None]
    again = Action("c1", "CREATE_DOCUMENT", "document", input=GIVEN)
    name = Action("y", "SET_NAME", "document", input={"name": "late"})
    assert await decided(replica, replica.mutation(HOME, [again])) == [None]
    assert await decided(replica, replica.mutation(HOME, [again, name])) == ["DocumentDeleted"]
