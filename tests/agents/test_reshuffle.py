"""Puts actions where their times say: what is stored for it, and what it shows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from docreactor.agents.placement import MOVED
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.job import Job, decode_job
from docreactor.pipeline.operation import Operation
from tests.support import oracle
from tests.support.notation import (
    Told,
    action,
    deletion,
    told,
    upgrade,
)
from tests.support.replicas import HOME, MAIN


async def _exchange(*replicas: Told) -> int:
    """The first in the middle: everybody tells it everything, and it everybody, until silence."""
    middle, rounds = replicas[0], 0
    while rounds < 10:
        before = [len(one.sent) for one in replicas]
        for other in replicas[1:]:
            for giver, taker in ((other, middle), (middle, other)):
                for stream in (HOME, MAIN):
                    news = [one for where, one in giver.first_seen() if where == stream]
                    if news:
                        assert await taker.receive(news, stream) is None
        if before == [len(one.sent) for one in replicas]:
            return rounds
        rounds += 1
    raise AssertionError("the exchange does not end")


async def test_two_writers_at_one_time_come_to_one_order() -> None:
    b, a = await told("B0@0", "B1@3"), await told("A0@1", "A1@2")
    assert await b.receive(a.stored(MAIN)) is None
    assert b.log() == "0:0:B0 1:0:B1 2:1:A0 3:0:A1 4:0:B1"
    assert await a.receive(b.stored(MAIN)) is None
    assert a.log() == "0:0:A0 1:0:A1 2:2:B0 3:0:A0 4:0:A1 5:0:B1"
    assert a.effective() == b.effective() == "B0 A0 A1 B1"
    assert a.words == b.words == ["B0", "A0", "A1", "B1"]


@pytest.mark.parametrize("index", [None, 0, 1, 2, 3, 900])
async def test_where_an_operation_stood_at_its_sender_does_not_matter(index: int | None) -> None:
    replica = await told("B0@10", "B1@20", "B2@50")
    load = replica.brought("A0@30")
    at_sender = replace(load.operations[0], index=index)
    assert await replica.submit(replace(load, operations=(at_sender,))) == [None]
    assert replica.log() == "0:0:B0 1:0:B1 2:0:B2 3:1:A0 4:0:B2"
    assert replica.words == ["B0", "B1", "A0", "B2"]


async def test_what_is_older_than_everything_moves_everything() -> None:
    replica = await told("B0@104", "B1@105")
    assert await replica.bring("A0@1", "A1@2", "A2@3") is None
    assert replica.log() == "0:0:B0 1:0:B1 2:2:A0 3:0:A1 4:0:A2 5:0:B0 6:0:B1"
    assert replica.words == ["A0", "A1", "A2", "B0", "B1"]


async def test_what_comes_in_pieces_is_in_order_in_the_end() -> None:
    replica = await told("B0@104", "B1@105")
    assert await replica.bring("A2@3") is None
    assert replica.log() == "0:0:B0 1:0:B1 2:2:A2 3:0:B0 4:0:B1"
    assert await replica.bring("A0@1", "A1@2") is None
    assert replica.log().endswith("4:0:B1 5:5:A0 6:0:A1 7:0:A2 8:0:B0 9:0:B1")
    assert replica.words == ["A0", "A1", "A2", "B0", "B1"]


async def test_a_skip_goes_back_to_the_first_index_of_what_it_displaces() -> None:
    replica = await told("B0@10", "B1@40")
    for name, expected in [
        ("A0@20", "2:1:A0 3:0:B1"),
        ("C0@15", "4:3:C0 5:0:A0 6:0:B1"),
        ("D0@45", "7:0:D0"),
    ]:
        stored = replica.log()
        assert await replica.bring(name) is None
        assert replica.log() == f"{stored} {expected}"
    assert replica.words == ["B0", "C0", "A0", "B1", "D0"]


async def test_what_is_known_costs_no_row_however_it_comes_again() -> None:
    replica = await told("A0@1", "A1@2", "A2@3", "A3@4")
    log = replica.log()
    assert await replica.receive(replica.stored(MAIN)) is None
    assert await replica.bring("A2@3") is None
    assert replica.log() == log
    later = [f"A{number}@{number + 1}" for number in range(2, 8)]
    assert await replica.bring(*later, *later) is None
    assert replica.log() == " ".join(f"{number}:0:A{number}" for number in range(8))


async def test_of_one_time_the_lesser_action_id_comes_first_whoever_came_first() -> None:
    replica = await told("z@100")
    assert await replica.bring("a@100") is None
    assert replica.log() == "0:0:z 1:1:a 2:0:z"
    other = await told("a@100")
    assert await other.bring("z@100") is None
    assert other.log() == "0:0:a 1:0:z"
    assert replica.words == other.words == ["a", "z"]


async def test_a_shared_beginning_is_not_moved() -> None:
    shared = ["s0@1", "s1@2", "s2@3"]
    a = await told(*shared, "a3@10", "a4@12")
    b = await told(*shared, "b3@11", "b4@13")
    of_a, of_b = a.stored(MAIN), b.stored(MAIN)
    assert await b.receive(of_a) is None, "whole, or only what is new: the same"
    assert b.log() == "0:0:s0 1:0:s1 2:0:s2 3:0:b3 4:0:b4 5:2:a3 6:0:b3 7:0:a4 8:0:b4"
    assert await a.receive(of_b[3:]) is None
    assert a.log() == "0:0:s0 1:0:s1 2:0:s2 3:0:a3 4:0:a4 5:1:b3 6:0:a4 7:0:b4"
    assert a.words == b.words


@pytest.mark.parametrize("is_reversed", [False, True])
async def test_pieces_come_to_the_same_history_in_any_order(is_reversed: bool) -> None:
    sender = await told(*[f"A{number}@{number + 1}" for number in range(10, 21)])
    stored, replica = sender.stored(MAIN), await told()
    pieces = [stored[:6], stored[6:]]
    for piece in reversed(pieces) if is_reversed else pieces:
        assert await replica.receive(piece) is None
    if is_reversed:
        assert len(replica.stored(MAIN)) == 16
        assert replica.stored(MAIN)[5].skip == 5
    else:
        assert replica.stored(MAIN) == stored
    assert replica.effective() == sender.effective()
    ids = [one.id for one in oracle.effective(replica.stored(MAIN))]
    assert ids == [one.id for one in stored]


async def test_three_replicas_and_one_instant_end_alike_and_silent() -> None:
    middle, a, b = await told(), await told("action-A@7"), await told("action-B@7")
    assert await _exchange(middle, a, b) <= 2
    assert middle.log() == a.log() == "0:0:action-A 1:0:action-B"
    assert b.log() == "0:0:action-B 1:1:action-A 2:0:action-B"
    assert a.words == b.words == middle.words == ["action-A", "action-B"]


async def test_a_backfill_of_a_reshuffled_log_loses_nothing() -> None:
    sender = await told("S1@20")
    assert await sender.bring("A0@10") is None
    assert sender.log() == "0:0:S1 1:1:A0 2:0:S1"
    replica = await told()
    assert await replica.receive(sender.stored(MAIN)) is None
    assert replica.effective() == "A0 S1"
    assert replica.words == sender.words == ["A0", "S1"]


async def test_time_alone_decides_what_comes_before_what() -> None:
    shared = [f"s{number}@{number}" for number in range(5)]
    b = await told(*shared, "p@12", "q@14")
    a = await told(*shared, "f@5", "x@10", "y@11")
    assert await b.receive(a.stored(MAIN)[6:]) is None
    assert b.effective().endswith("s4 x y p q")
    await _exchange(a, b)
    assert a.words == b.words
    assert b.effective().endswith("s4 f x y p q")


async def test_an_exchange_with_an_undo_in_it_ends() -> None:
    a, b = await told("s0@1"), await told("s0@1", "b@4")
    assert await a.mutate(action("u@5", "UNDO")) is None
    assert await _exchange(a, b) <= 2
    assert a.effective() == b.effective() == "s0 b u"
    assert a.words == b.words == ["s0"], "the undo meets what was written at the same time"


async def test_several_actions_of_one_instant_stand_alike_everywhere() -> None:
    a, b = await told(), await told("m0@10")
    assert await a.mutate("z1@20", "m2@20") is None
    await _exchange(a, b)
    assert a.words == b.words == ["m0", "m2", "z1"]


async def test_ties_of_the_platforms_own_actions_break_alike_everywhere() -> None:
    replicas = [await told() for _ in range(3)]
    for name, replica in zip(("k", "b", "x"), replicas, strict=True):
        edge = {"source_id": "d1", "target_id": f"to-{name}", "relationship_type": "child"}
        relate = action(f"{name}@9", "ADD_RELATIONSHIP", "document", edge)
        rename = action(f"n{name}@9", "SET_NAME", "document", {"name": name})
        assert await replica.mutate(relate, rename, stream=HOME) is None
    await _exchange(*replicas)
    assert {one.effective(HOME) for one in replicas} == {"c1 c2 b k nb nk nx x"}
    assert {one.header["name"] for one in replicas} == {"x"}


async def test_a_gap_at_the_sender_is_no_reason_to_wait() -> None:
    sender = await told(*[f"A{number}@{number}" for number in range(1, 10)])
    replica = await told()
    assert await replica.receive(sender.stored(MAIN)[5:6]) is None
    assert replica.log() == "0:0:A6"
    assert await replica.receive(sender.stored(MAIN)) is None
    assert replica.words == sender.words


async def test_what_was_stored_never_changes() -> None:
    replica = await told("B0@10", "B1@40")
    kept = dict(replica.store.scan(b"o/", b"o0"))
    for name in ("A0@20", "C0@5"):
        assert await replica.bring(name) is None
    now = dict(replica.store.scan(b"o/", b"o0"))
    assert {key: now[key] for key in kept} == kept


async def test_an_operation_keeps_its_id_wherever_it_is_stored_again() -> None:
    replica = await told("B0@10")
    assert await replica.bring("A0@5") is None
    first, _, again = replica.stored(MAIN)
    assert (first.index, first.skip, again.index, again.skip) == (0, 0, 2, 0)
    assert (first.id, first.action) == (again.id, again.action)


async def test_what_is_kept_before_the_place_stays_in_the_state() -> None:
    replica = await told("B0@10", "B1@20", "B2@50")
    assert replica.tables.cache.newest(MAIN) is not None, "the cache is warm"
    assert await replica.bring("A0@30") is None
    warm = replica.tables.cache.newest(MAIN)
    assert warm is not None
    assert warm.state.state == await replica.built() == {"words": ["B0", "B1", "A0", "B2"]}


async def test_a_skip_holds_also_where_the_action_fails() -> None:
    replica = await told("B0@10", "B1@20", "B2@30")
    assert await replica.bring(action("nobody@15", "DROP")) is None
    assert replica.log().endswith("3:2:nobody 4:0:B1 5:0:B2")
    failed = replica.stored(MAIN)[3]
    assert failed.error == "ValueError: the last word is not nobody"
    assert failed.hash == digest(encode({"words": ["B0"]})), "of what stands before it"
    assert replica.words == ["B0", "B1", "B2"]
    assert await replica.built() == {"words": ["B0", "B1", "B2"]}


async def test_what_failed_is_decided_anew_behind_other_operations() -> None:
    replica = await told("b@10")
    drop = action("d@20", "DROP", input={"word": "a"})
    assert await replica.mutate(drop) is None
    assert replica.errors()["d"] == "ValueError: the last word is not a"
    assert await replica.bring("a@15") is None
    assert replica.errors() == {"b": None, "a": None, "d": None}
    assert replica.words == ["b"]


async def test_what_succeeded_may_fail_behind_other_operations() -> None:
    replica = await told("a@10")
    assert await replica.mutate(action("d@20", "DROP", input={"word": "a"})) is None
    assert await replica.bring("b@15") is None
    assert replica.errors()["d"] == "ValueError: the last word is not a"
    assert replica.words == ["a", "b"]


async def test_only_what_was_stored_before_is_marked_as_moved_and_a_source_stays() -> None:
    replica = await told("B0@10", "B2@50")
    other = await told("B0@10", "A0@30")
    assert await replica.receive(other.stored(MAIN)) is None
    assert await replica.bring("C0@20") is None
    told_of = [
        (Operation.decode(one.value or b"").action.id, dict(one.headers).get("source"))
        for one in replica.sent
        if MOVED[-1] not in one.headers
    ]
    assert told_of == [
        ("c1", None),
        ("c2", None),
        ("B0", None),
        ("B2", None),
        ("A0", b"elsewhere"),
        ("C0", None),
    ]
    moved = [one for one in replica.sent if MOVED[-1] in one.headers]
    assert [Operation.decode(one.value or b"").action.id for one in moved] == ["B2", "A0", "B2"]


async def test_creation_stays_at_the_head_whatever_the_times_say() -> None:
    replica = await told()
    rename = action("a0@0", "SET_NAME", "document", {"name": "at once"})
    older = action("a1@-900", "SET_NAME", "document", {"name": "long ago"})
    assert await replica.bring(rename, older, stream=HOME) is None
    assert replica.log(HOME) == "0:0:c1 1:0:c2 2:0:a1 3:0:a0"
    assert (
        await replica.bring(
            action("a2@-5", "SET_NAME", "document", {"name": "between"}), stream=HOME
        )
        is None
    )
    assert replica.log(HOME).endswith("3:0:a0 4:1:a2 5:0:a0")
    assert replica.header["name"] == "at once"


async def test_a_reshuffle_over_the_bound_is_set_aside_and_goes_through_under_a_higher_one() -> (
    None
):
    names = [f"B{number}@{number + 10}" for number in range(5)]
    replica = await told(*names, reshuffle_rows_max=4)
    log = replica.log()
    assert await replica.bring("A0@5") == "ExcessiveReshuffle"
    assert replica.log() == log
    assert await replica.bring("A1@10.5") is None, "what moves less is not over it"
    (letter,) = replica.dead_letters
    headers = dict(letter.headers)
    assert headers["cause"] == b"ExcessiveReshuffle"
    replica = await replica.restarted(reshuffle_rows_max=100)
    assert await replica.submit(decode_job(letter.value or b"")) == [None]
    other = await told(*names)
    assert await other.bring("A0@5", "A1@10.5") is None
    assert replica.effective() == other.effective() == "A0 B0 A1 B1 B2 B3 B4"
    assert replica.words == other.words


async def test_only_what_moves_counts_against_the_bound() -> None:
    replica = await told("B0@100", reshuffle_rows_max=1)
    assert await replica.bring(*[f"A{number}@{number}" for number in range(50)]) is None
    assert len(replica.words) == 51


async def test_a_mutation_over_the_bound_fails_and_is_no_dead_letter() -> None:
    replica = await told("B0@10", "B1@20", reshuffle_rows_max=1)
    assert await replica.mutate("A0@5") == "ExcessiveReshuffle"
    assert replica.dead_letters == []
    assert replica.words == ["B0", "B1"]


async def test_what_an_upgrade_moves_in_other_scopes_counts_too_and_nothing_of_it_stays() -> None:
    replica = await told("a@10", "b@20", "c@30", reshuffle_rows_max=2)
    rename = action("n@6", "SET_NAME", "document", {"name": "x"})
    jobs: list[Job] = [
        replica.mutation(MAIN, [action("d@40")]),
        replica.brought(upgrade("u@5"), stream=HOME),
        replica.brought(rename, stream=HOME),
        replica.mutation(MAIN, [action("e@50")]),
    ]
    assert await replica.submit(*jobs) == [None, "ExcessiveReshuffle", None, None]
    assert (replica.log(HOME), replica.log()) == (
        "0:0:c1 1:0:c2 2:0:n",
        "0:0:a 1:0:b 2:0:c 3:0:d 4:0:e",
    )
    assert (replica.words, replica.header["name"]) == (["a", "b", "c", "d", "e"], "x")


async def test_an_upgrade_that_comes_late_makes_other_scopes_decide_anew() -> None:
    replica = await told("a@10", "b@30")
    local = MAIN._replace(scope="local")
    assert await replica.mutate(action("c@30", scope="local"), stream=local) is None
    assert (
        await replica.mutate(action("e@15", scope="other"), stream=local._replace(scope="other"))
        is None
    )
    assert await replica.bring(upgrade("u@20"), stream=HOME) is None
    assert replica.log() == "0:0:a 1:0:b 2:1:b"
    assert replica.log(local) == "0:0:c 1:1:c"
    assert replica.log(local._replace(scope="other")) == "0:0:e", "it was over by then"
    assert [one.version for one in oracle.effective(replica.stored(MAIN))] == [1, 2]
    assert replica.words == ["A", "b"]


async def test_a_second_upgrade_of_one_version_changes_nothing() -> None:
    a, b = await told("w@5"), await told("w@5")
    assert await a.mutate(upgrade("ua@10"), stream=HOME) is None
    assert await b.mutate(upgrade("ub@20"), stream=HOME) is None
    assert await b.mutate("v@15") is None
    await _exchange(a, b)
    assert a.errors(HOME)["ub"] == b.errors(HOME)["ub"]
    assert (a.errors(HOME)["ub"] or "").startswith("UpgradePreconditionFailed: ")
    assert a.words == b.words == ["W", "v"]


async def test_a_deletion_that_moves_is_the_documents_own_still() -> None:
    a, b = await told(), await told()
    assert await a.mutate(deletion("d@10"), stream=HOME) is None
    assert await b.mutate(deletion("e@5"), stream=HOME) is None
    await _exchange(a, b)
    for replica in (a, b):
        assert replica.effective(HOME) == "c1 c2 e d"
        assert (replica.errors(HOME)["d"] or "").startswith("DocumentDeleted: ")


async def test_loads_of_one_batch_are_one_reshuffle() -> None:
    replica = await told("B0@10", "B1@20")
    jobs = [replica.brought(f"A{number}@{15 - number}") for number in range(4)]
    assert await replica.submit(*jobs) == [None] * 4
    assert replica.log() == "0:0:B0 1:0:B1 2:1:A3 3:0:A2 4:0:A1 5:0:A0 6:0:B1"
