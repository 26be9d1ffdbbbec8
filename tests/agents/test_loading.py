"""Decides loads: placed by time, never refused for what their stream holds."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from docreactor.pipeline.action import Action
from docreactor.pipeline.job import Incoming, Job, Load, decode_job
from docreactor.pipeline.settings import Settings
from tests.support.notation import Told, action, at, deletion, incoming, told, upgrade
from tests.support.replicas import HOME, MAIN


def _told_hash(load: Load, hashed: str) -> Load:
    """The load whose last operation is said to have had this hash."""
    *before, last = load.operations
    return replace(load, operations=(*before, replace(last, hash=hashed)))


async def _newest(*names: str) -> Told:
    """A replica with a document of its model's newest version, after these mutations."""
    replica = Told("here", Settings(app="test"))
    given = {"model": "test/words", "document_id": "d1"}
    begin = [action("c1@0", "CREATE_DOCUMENT", "document", given), upgrade("c2@0", 0, 2)]
    assert await replica.mutate(*begin, stream=HOME) is None
    for name in names:
        assert await replica.mutate(name) is None
    return replica


async def test_what_is_in_order_is_stored_as_it_was_elsewhere() -> None:
    sender = await told("A@1", "B@2", "C@3")
    assert await sender.mutate(action("u", "UNDO")) is None
    replica = await told()
    assert await replica.receive(sender.stored(MAIN)) is None
    assert replica.stored(MAIN) == sender.stored(MAIN), "to the byte, the chain of hashes included"


async def test_a_whole_document_comes_from_elsewhere() -> None:
    sender = await told("A@1", "B@2")
    assert await sender.mutate(upgrade("up@3"), deletion("d@4"), stream=HOME) is None
    replica = Told("there")
    for stream in (HOME, MAIN):
        assert await replica.receive(sender.stored(stream), stream) is None
        assert replica.stored(stream) == sender.stored(stream)
    assert replica.header == sender.header


async def test_loads_of_several_scopes_in_one_batch_are_placed_what_the_document_is_first() -> None:
    sender = await told("A@1", "C@3")
    assert await sender.mutate(upgrade("up@2"), stream=HOME) is None
    replica = Told("there")
    jobs = [replica.load(stream, sender.stored(stream)) for stream in (HOME, MAIN)]
    assert await replica.submit(*jobs) == [None, None]
    assert replica.effective() == "A C"
    assert replica.words == sender.words == ["A", "C"]


async def test_the_parts_of_a_creation_may_lie_in_any_order() -> None:
    sender = await told()
    assert (
        await sender.mutate(action("n@5", "SET_NAME", "document", {"name": "x"}), stream=HOME)
        is None
    )
    replica = Told("there")
    assert await replica.receive(list(reversed(sender.stored(HOME))), HOME) is None
    assert replica.log(HOME) == "0:0:c1 1:0:c2 2:0:n"


async def test_all_known_is_a_success_that_stores_nothing() -> None:
    replica = await told("A@1", "B@2")
    before = len(replica.sent)
    assert await replica.receive(replica.stored(MAIN)) is None
    assert await replica.receive(replica.stored(HOME), HOME) is None
    assert len(replica.sent) == before


async def test_a_deleted_document_takes_loads_and_stays_deleted() -> None:
    replica = await told("A@1")
    assert await replica.mutate(deletion("d@10"), stream=HOME) is None
    assert await replica.bring("B@5", "C@20") is None
    assert replica.effective() == "A B C"
    document = replica.documents.document("d1", "main")
    assert document is not None
    assert document.header.document.is_deleted


async def test_a_deletion_that_is_undone_elsewhere_is_undone_here() -> None:
    replica = await told("A@1")
    assert await replica.mutate(deletion("d@10"), stream=HOME) is None
    assert await replica.mutate("B") == "DocumentDeleted"
    assert await replica.bring(action("u@12", "UNDO", "document"), stream=HOME) is None
    assert replica.errors(HOME)["u"] is None
    assert await replica.mutate("B") is None
    assert replica.words == ["A", "B"]


async def test_an_undo_of_nothing_is_an_operation_with_an_error() -> None:
    replica = await told("A@10")
    assert await replica.bring(action("u@5", "UNDO"), action("r@6", "REDO")) is None
    assert replica.log() == "0:0:A 1:1:u 2:0:r 3:0:A"
    errors = replica.errors()
    assert (errors["u"] or "").startswith("NothingToUndo: ")
    assert (errors["r"] or "").startswith("NothingToRedo: ")
    assert replica.words == ["A"]


async def test_an_undo_that_had_nothing_finds_what_comes_later_with_an_earlier_time() -> None:
    replica = await told("A@10")
    assert await replica.bring(action("u@5", "UNDO")) is None
    assert await replica.bring("Z@1") is None
    assert replica.errors() == {"Z": None, "u": None, "A": None}
    assert replica.words == ["A"]
    assert await replica.built() == {"words": ["A"]}


@pytest.mark.parametrize(
    ("brought", "error"),
    [
        (action("x@5", "PAINT"), "UnknownAction: "),
        (action("x@5", "PRUNE"), "UnsupportedAction: "),
        (action("x@5", "SET_NAME", input={"nom": 1}), "InvalidInput: "),
        (action("x@5", "CREATE_DOCUMENT"), "UnknownAction: "),
    ],
)
async def test_what_a_mutation_is_refused_for_is_a_loads_operation_with_an_error(
    brought: Action, error: str
) -> None:
    replica = await told("A@1", "B@9")
    assert await replica.bring(brought) is None
    assert replica.log() == "0:0:A 1:0:B 2:1:x 3:0:B"
    assert (replica.errors()["x"] or "").startswith(error)
    assert replica.words == ["A", "B"]


async def test_second_deletions_downgrades_and_edges_to_itself_are_errors() -> None:
    replica = await told()
    edge = {"source_id": "d1", "target_id": "d1", "relationship_type": "child"}
    brought = [
        deletion("d1st@1"),
        deletion("d2nd@2"),
        upgrade("down@3", 2, 1),
        action("edge@4", "ADD_RELATIONSHIP", "document", edge),
    ]
    assert await replica.bring(*brought, stream=HOME) is None
    errors = replica.errors(HOME)
    names = [(errors[one.id] or "none").partition(":")[0] for one in brought]
    assert names == ["none", "DocumentDeleted", "DowngradeNotSupported", "InvalidInput"]


async def test_a_conflict_refuses_its_load_alone_and_keeps_it() -> None:
    replica = await told("A@1", "B@9")
    jobs = [
        replica.brought("C@2", "A@3"),
        replica.brought("D@4"),
        replica.brought("D@5"),
        replica.brought("E@6"),
    ]
    errors = await replica.submit(*jobs)
    assert errors == ["ActionIdConflict", None, "ActionIdConflict", None]
    assert replica.effective() == "A D E B"
    kept = [decode_job(letter.value or b"") for letter in replica.dead_letters]
    assert kept == [jobs[0], jobs[2]]


async def test_another_state_behind_the_same_operations_is_refused_as_a_mismatch() -> None:
    sender = await _newest("A@1", "B@2", "C@3")
    replica = await _newest("A@1")
    load = _told_hash(replica.load(MAIN, sender.stored(MAIN)), "another")
    assert await replica.submit(load) == ["HashMismatch"]
    assert replica.log() == "0:0:A", "nothing of the load is stored"
    (letter,) = replica.dead_letters
    assert dict(letter.headers)["cause"] == b"HashMismatch"


async def test_a_mismatch_refuses_none_of_the_loads_beside_it() -> None:
    sender = await _newest("A@1", "B@2", "C@3")
    replica = await _newest("A@1")
    stored = sender.stored(MAIN)
    jobs = [
        replica.load(MAIN, stored[:2]),
        _told_hash(replica.load(MAIN, stored[2:]), "another"),
        replica.brought("D@4"),
    ]
    assert await replica.submit(*jobs) == [None, "HashMismatch", None]
    assert replica.words == ["A", "B", "D"]


async def test_behind_other_operations_a_hash_says_nothing() -> None:
    sender, replica = await _newest("A@1", "B@5"), await _newest("A@1", "Z@3")
    load = _told_hash(replica.load(MAIN, sender.stored(MAIN)), "another")
    assert await replica.submit(load) == [None]
    assert replica.words == ["A", "Z", "B"]


async def test_where_an_upgrade_may_have_come_between_a_hash_says_nothing() -> None:
    sender, replica = await told("A@1", "B@2"), await told("A@1")
    load = _told_hash(replica.load(MAIN, sender.stored(MAIN)), "of the other version")
    silent = tuple(replace(one, version=None) for one in load.operations)
    assert await replica.submit(replace(load, operations=silent)) == [None]


async def test_states_of_two_versions_are_not_compared() -> None:
    sender, replica = await told("A@1", "B@2"), await told("A@1")
    load = _told_hash(replica.load(MAIN, sender.stored(MAIN)), "of the other version")
    later = tuple(replace(one, version=2) for one in load.operations)
    assert await replica.submit(replace(load, operations=later)) == [None]


async def test_states_of_one_version_are_compared() -> None:
    sender, replica = await told("A@1", "B@2"), await told("A@1")
    load = _told_hash(replica.load(MAIN, sender.stored(MAIN)), "another")
    assert await replica.submit(load) == ["HashMismatch"]


async def test_a_mismatch_in_what_the_document_is_is_found_too() -> None:
    sender, replica = await told(), await told()
    assert await sender.mutate(deletion("d@5"), stream=HOME) is None
    load = _told_hash(replica.load(HOME, sender.stored(HOME)), "another")
    assert await replica.submit(load) == ["HashMismatch"]
    assert replica.log(HOME) == "0:0:c1 1:0:c2"


async def test_a_loaded_action_may_lie_any_time_ahead() -> None:
    replica = await told("A@1")
    assert await replica.bring("B@900000") is None
    assert await replica.mutate("C") is None
    assert replica.words == ["A", "B", "C"]
    assert replica.stored(MAIN)[-1].timestamp == at(900000.000001)
    assert await replica.mutate("D@900000") == "InvalidOperationTimestamp"


async def test_a_time_that_is_none_refuses_its_load() -> None:
    replica = await told("A@1")
    (good,) = replica.brought("B@2").operations
    bad = Incoming(replace(good.action, id="x", timestamp="yesterday"))
    load = replace(replica.brought("B@2"), operations=(good, bad))
    assert await replica.submit(load) == ["InvalidOperationTimestamp"]
    assert (replica.log(), len(replica.dead_letters)) == ("0:0:A", 1)


@pytest.mark.parametrize("second", [5, -900])
async def test_a_second_creation_is_refused_by_name_whatever_its_time(second: int) -> None:
    replica = await told("A@1")
    given = {"model": "test/words", "document_id": "d1", "slug": "mine"}
    again = action(f"again@{second}", "CREATE_DOCUMENT", "document", given)
    assert await replica.bring(again, stream=HOME) == "DocumentAlreadyExists"
    assert replica.log(HOME) == "0:0:c1 1:0:c2"
    assert replica.header["slug"] == "d1"
    assert len(replica.dead_letters) == 1


async def test_a_mutation_comes_after_the_loads_before_it() -> None:
    replica = await told("A@1")
    jobs: list[Job] = [
        replica.brought("B@5"),
        replica.mutation(MAIN, [action("C")]),
        replica.brought("D@3"),
    ]
    assert await replica.submit(*jobs) == [None, None, None]
    assert replica.log() == "0:0:A 1:0:B 2:0:C 3:2:D 4:0:B 5:0:C"


async def test_a_load_of_one_branch_leaves_the_others_alone() -> None:
    replica = await told("A@1")
    draft = MAIN._replace(branch="draft")
    given = {"model": "test/words", "document_id": "d1", "branch": "draft"}
    begin = [
        action("b1@1", "CREATE_DOCUMENT", "document", given),
        upgrade("b2@2", 0, 1),
    ]
    assert await replica.bring(*begin, stream=draft.home) is None
    assert await replica.bring("A@1", "B@2", stream=draft) is None
    assert (replica.log(), replica.log(draft)) == ("0:0:A", "0:0:A 1:0:B")


async def test_what_came_twice_in_one_load_is_stored_once() -> None:
    replica = await told()
    load = replica.brought("A@1")
    twice = replace(load, operations=(*load.operations, incoming("A@1")))
    assert await replica.submit(twice) == [None]
    assert replica.log() == "0:0:A"


async def test_a_load_before_its_document_waits_and_nothing_is_stored() -> None:
    replica = Told("there", Settings(app="test"))
    assert await replica.submit(replica.brought("A@1")) == []
    assert replica.sent == []
    assert replica.dead_letters == []
