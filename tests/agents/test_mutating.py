"""Decides mutations: all of a job or nothing of it, undo and redo included."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.ids import operation_id
from tests.support.notation import Told, action, at, deletion, told, upgrade
from tests.support.replicas import HOME, MAIN


def _undo(name: str) -> Action:
    return action(name, "UNDO")


def _redo(name: str) -> Action:
    return action(name, "REDO")


async def _undone(*names: str) -> Told:
    """A replica that took these words and then one UNDO."""
    replica = await told(*names)
    assert await replica.mutate(_undo("u1")) is None
    return replica


async def test_each_undo_takes_one_more_away_until_nothing_is_left() -> None:
    replica = await told("A", "B")
    shown: list[list[str]] = []
    for name in ("u1", "u2"):
        assert await replica.mutate(_undo(name)) is None
        shown.append(replica.words)
    assert shown == [["A"], []]
    assert await replica.mutate(_undo("u3")) == "NothingToUndo"
    assert replica.log() == "0:0:A 1:0:B 2:0:u1 3:0:u2"


async def test_what_follows_a_run_of_undos_stands_alone() -> None:
    replica = await told("A", "B")
    assert await replica.mutate(_undo("u1"), _undo("u2"), "C") is None
    assert replica.words == ["C"]
    assert await replica.built() == {"words": ["C"]}


async def test_an_undo_keeps_its_id_its_signer_and_the_hash_of_what_it_leaves() -> None:
    replica = await told("A", "B")
    signer = {"signer": {"address": "0x1"}}
    assert await replica.mutate(Action("u1", "UNDO", "global", context=signer)) is None
    undo = replica.stored(MAIN)[-1]
    assert (undo.action.type, undo.action.id, undo.action.context) == ("UNDO", "u1", signer)
    assert undo.id == operation_id(*MAIN, "u1")
    assert undo.hash == digest(encode({"words": ["A"]}))


async def test_an_undo_sent_twice_undoes_once() -> None:
    replica = await _undone("A", "B")
    assert await replica.mutate(_undo("u1")) is None
    assert replica.log() == "0:0:A 1:0:B 2:0:u1"
    assert replica.words == ["A"]


async def test_each_redo_cancels_the_nearest_undo_that_stands() -> None:
    replica = await told("A", "B", "C")
    shown: list[list[str]] = []
    for told_of in (_undo("u1"), _undo("u2"), _redo("r1"), _undo("u3"), _redo("r2"), _redo("r3")):
        assert await replica.mutate(told_of) is None
        shown.append(replica.words)
    a, ab, abc = ["A"], ["A", "B"], ["A", "B", "C"]
    assert shown == [ab, a, ab, a, ab, abc]
    assert await replica.mutate(_redo("r4")) == "NothingToRedo"
    assert await replica.built() == {"words": abc}


async def test_a_redo_reaches_past_what_was_written_since() -> None:
    replica = await _undone("A", "B")
    assert await replica.mutate("C") is None
    assert await replica.mutate(_redo("r1")) is None
    assert replica.words == ["A", "B", "C"]


async def test_a_redo_without_an_undo_fails() -> None:
    replica = await told("A")
    assert await replica.mutate(_redo("r1")) == "NothingToRedo"
    assert replica.log() == "0:0:A"


async def test_what_changes_nothing_is_passed_over_by_an_undo() -> None:
    replica = await told("A", "B")
    failed = action("f", "DROP", input={"word": "nobody"})
    assert await replica.mutate(failed, action("n", "NOOP"), _undo("u1")) is None
    assert replica.words == ["A"]


async def test_with_nothing_but_noops_there_is_nothing_to_undo() -> None:
    replica = await told()
    assert await replica.mutate(action("n", "NOOP")) is None
    assert await replica.mutate(_undo("u1")) == "NothingToUndo"


async def test_a_name_that_is_undone_is_the_one_before() -> None:
    replica = await told()
    for name in ("first", "second"):
        assert await replica.mutate(action(name, "SET_NAME", input={"name": name})) is None
    assert await replica.mutate(_undo("u1")) is None
    assert replica.header["name"] == "first"


async def test_a_loaded_state_can_be_undone() -> None:
    replica = await told("A")
    loaded = action("l", "LOAD_STATE", input={"state": {"words": ["X", "Y"]}, "name": "given"})
    assert await replica.mutate(loaded) is None
    assert (replica.words, replica.header["name"]) == (["X", "Y"], "given")
    assert await replica.mutate(_undo("u1")) is None
    assert (replica.words, replica.header["name"]) == (["A"], None)


async def test_creation_and_upgrades_cannot_be_undone() -> None:
    replica = await told()
    undo = action("u1", "UNDO", "document")
    assert await replica.mutate(undo, stream=HOME) == "NothingToUndo"
    assert await replica.mutate(upgrade("up"), stream=HOME) is None
    assert await replica.mutate(undo, stream=HOME) == "NothingToUndo"
    assert replica.log(HOME) == "0:0:c1 1:0:c2 2:0:up"


async def test_an_undo_in_another_scope_undoes_nothing_here() -> None:
    replica = await told("A")
    local = MAIN._replace(scope="local")
    assert await replica.mutate(action("u1", "UNDO", "local"), stream=local) == "NothingToUndo"
    assert replica.words == ["A"]


async def test_an_undo_meets_what_was_written_before_it_elsewhere() -> None:
    replica = await told("A@1", "B@5")
    assert await replica.mutate(action("u1@10", "UNDO")) is None
    assert await replica.bring("C@7") is None
    assert replica.log() == "0:0:A 1:0:B 2:0:u1 3:1:C 4:0:u1"
    assert replica.words == ["A", "B"]
    assert await replica.bring("D@2") is None
    assert replica.words == ["A", "D", "B"]
    assert await replica.built() == {"words": ["A", "D", "B"]}


async def test_an_undo_of_an_earlier_time_undoes_what_stood_there_then() -> None:
    replica = await told("A@1", "B@5", "C@9")
    assert await replica.mutate(action("u1@7", "UNDO")) is None
    assert replica.log() == "0:0:A 1:0:B 2:0:C 3:1:u1 4:0:C"
    assert replica.words == ["A", "C"]


async def test_an_undo_that_finds_nothing_at_its_time_fails_whatever_comes_later() -> None:
    replica = await told("A@5")
    assert await replica.mutate(action("u1@2", "UNDO")) == "NothingToUndo"
    assert replica.log() == "0:0:A"


async def test_a_job_whose_last_action_is_refused_stores_nothing_and_may_come_again() -> None:
    replica = await told("A@1")
    job: list[Action | str] = ["B", _undo("u1"), _undo("u2"), _undo("u3")]
    assert await replica.mutate(*job) == "NothingToUndo"
    assert await replica.mutate("Z@0.5", action("p", "PAINT")) == "UnknownAction"
    assert (replica.log(), replica.words) == ("0:0:A", ["A"])
    assert await replica.mutate(*job[:3]) is None
    assert replica.log() == "0:0:A 1:0:B 2:0:u1 3:0:u2"
    assert len(replica.sent) == 6, "what was refused is on no log"


async def test_a_refused_job_takes_nothing_from_those_beside_it() -> None:
    replica = await told("A@1")
    jobs = [
        replica.mutation(MAIN, [action("B@2")]),
        replica.mutation(MAIN, [action("C@0.5"), action("p", "PAINT")]),
        replica.mutation(MAIN, [action("D@1.5")]),
        replica.mutation(MAIN, [_redo("r1")]),
        replica.mutation(MAIN, [action("E@3")]),
    ]
    errors = await replica.submit(*jobs)
    assert errors == [None, "UnknownAction", None, "NothingToRedo", None]
    assert replica.log() == "0:0:A 1:0:B 2:1:D 3:0:B 4:0:E"
    assert replica.words == ["A", "D", "B", "E"]


async def test_an_action_sent_twice_is_stored_once_wherever_it_stands_by_now() -> None:
    replica = await told("A@10", "B@20")
    assert await replica.mutate("C@15") is None
    log = replica.log()
    for name in ("A@10", "B@20", "C@15"):
        assert await replica.mutate(name) is None
        assert await replica.bring(name) is None
    assert replica.log() == log


async def test_a_known_action_with_another_time_is_another_action() -> None:
    replica = await told("A@10")
    assert await replica.mutate("A@11") == "ActionIdConflict"
    assert await replica.mutate("A") is None, "one without a time is any"


async def test_a_job_of_an_earlier_time_is_placed_as_a_whole() -> None:
    replica = await told("A@10", "D@40")
    assert await replica.mutate("C@30", "E@50", "B@20") is None
    assert replica.log() == "0:0:A 1:0:D 2:1:B 3:0:C 4:0:D 5:0:E"
    assert replica.words == ["A", "B", "C", "D", "E"]


async def test_a_stamp_is_later_than_what_the_document_is() -> None:
    replica = await told()
    assert await replica.mutate(upgrade("up@60"), stream=HOME) is None
    assert await replica.mutate("A") is None
    (stored,) = replica.stored(MAIN)
    assert stored.timestamp == at(60.000001)
    assert stored.version == 2


@pytest.mark.parametrize(
    ("told_of", "error"),
    [
        (action("x", "CREATE_DOCUMENT", "global"), "UnknownAction"),
        (action("x", "DELETE_DOCUMENT", "global"), "UnknownAction"),
        (action("x", "ADD_RELATIONSHIP", "global"), "UnknownAction"),
        (action("x", "PRUNE"), "UnsupportedAction"),
        (action("x", "UNDO", input={"count": 2}), "InvalidInput"),
        (action("x", "SET_NAME", input={}), "InvalidInput"),
        (action("x", scope="local"), "InvalidInput"),
    ],
)
async def test_what_no_state_could_cure_fails_the_job(told_of: Action, error: str) -> None:
    replica = await told("A")
    assert await replica.mutate(told_of) == error
    assert replica.log() == "0:0:A"


@pytest.mark.parametrize("action_id", ["", "a b", "a/b", "..", "x" * 201])
async def test_an_id_that_fits_no_key_fails_the_job(action_id: str) -> None:
    replica = await told("A")
    assert await replica.mutate(Action(action_id, "NOOP", "global")) == "InvalidInput"
    assert await replica.mutate("B", Action(action_id, "UNDO", "global")) == "InvalidInput"
    assert replica.log() == "0:0:A"


async def test_a_deletion_is_at_its_own_time_and_comes_once() -> None:
    replica = await told("A")
    assert await replica.mutate(deletion("d@30"), stream=HOME) is None
    document = replica.documents.document("d1", "main")
    assert document is not None
    state = document.header.document.state
    assert (state["is_deleted"], state["deleted_at"]) == (True, at(30))
    assert await replica.mutate(deletion("e@40"), stream=HOME) == "DocumentDeleted"
    assert await replica.mutate("B") == "DocumentDeleted", "though its state is cached"
    undo = action("u", "UNDO", "document")
    assert await replica.mutate(undo, stream=HOME) == "DocumentDeleted"


async def test_edges_change_no_state_and_need_no_target() -> None:
    replica = await told()
    edge = {"source_id": "d1", "target_id": "nobody", "relationship_type": "child"}
    described = edge | {"metadata": None}
    for number, (kind, given) in enumerate(
        [
            ("ADD_RELATIONSHIP", edge),
            ("ADD_RELATIONSHIP", edge),
            ("UPDATE_RELATIONSHIP", described),
            ("REMOVE_RELATIONSHIP", edge),
            ("REMOVE_RELATIONSHIP", edge),
        ]
    ):
        told_of = action(f"e{number}", kind, "document", given)
        assert await replica.mutate(told_of, stream=HOME) is None
    stored = replica.stored(HOME)
    assert len(stored) == 7
    assert {one.hash for one in stored[1:]} == {stored[1].hash}
    assert {one.error for one in stored} == {None}


@pytest.mark.parametrize(
    "changes",
    [
        {"target_id": "d1"},
        {"source_id": "d2"},
        {"target_id": "a/b"},
        {"relationship_type": ""},
        {"target_id": None},
        {"since": "today"},
    ],
)
@pytest.mark.parametrize("kind", ["ADD_RELATIONSHIP", "UPDATE_RELATIONSHIP"])
async def test_an_edge_that_cannot_be_is_refused(kind: str, changes: dict[str, str]) -> None:
    replica = await told()
    edge = {"source_id": "d1", "target_id": "d3", "relationship_type": "child"}
    told_of = action("e", kind, "document", edge | changes)
    assert await replica.mutate(told_of, stream=HOME) == "InvalidInput"
    assert replica.log(HOME) == "0:0:c1 1:0:c2"


async def test_an_edge_of_a_document_that_is_not_there_fails() -> None:
    replica = await told()
    edge = {"source_id": "d9", "target_id": "d1", "relationship_type": "child"}
    told_of = action("e", "ADD_RELATIONSHIP", "document", edge)
    missing = HOME._replace(document_id="d9")
    assert await replica.mutate(told_of, stream=missing) == "DocumentNotFound"


async def test_the_loop_gets_its_turn_amid_a_job_of_many_actions() -> None:
    replica = await told("A")
    job = replica.mutation(MAIN, [Action(f"n{at}", "NOOP", "global") for at in range(5_000)])
    deciding = asyncio.create_task(replica.submit(job))
    turns = 0
    while not replica.documents.row(MAIN) or len(replica.sent) < 5_000:
        turns += 1
        await asyncio.sleep(0)
        assert not deciding.done() or await deciding == [None]
    assert await deciding == [None]
    assert turns > 4
