"""Operations as changes: with what they take away, and what they lead to."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from docreactor.agents.change_reader import ChangeReader
from docreactor.pipeline.action import Action
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.pipeline.errors import CorruptHistoryError
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.position import Offset
from docreactor.pipeline.read_model import Change
from docreactor.pipeline.settings import Settings
from tests.agents.test_odd_jobs import load
from tests.support.drawn_history import History, create
from tests.support.oracle import effective
from tests.support.replicas import HOME, MAIN, Replica

TOPIC = "test.operations"
EARLY = "2023-11-14T22:13:20.000000Z"


def reader_of(replica: Replica) -> ChangeReader:
    return ChangeReader(
        replica.store, replica.tables, replica.replay, Settings(app="test"), topic=TOPIC
    )


def word(action_id: str, text: str, timestamp: str | None = None) -> Action:
    return Action(action_id, "ADD", "global", timestamp, {"word": text})


def loaded(action_id: str, text: str, timestamp: str) -> StoredAction:
    return StoredAction(action_id, "ADD", "global", timestamp, {"word": text})


async def moved() -> Replica:
    """Two words, and one that is placed before both: index 2 takes 0 and 1 away."""
    replica = Replica("a")
    await replica.create()
    replica.clock += 1_000_000
    await replica.submit(replica.mutation(MAIN, [word("w1", "ash"), word("w2", "bay")]))
    await replica.submit(load(MAIN, loaded("w0", "cup", "2023-11-14T22:13:20.500000Z")))
    assert [one.skip for one in replica.stored(MAIN)] == [0, 0, 2, 0, 0]
    return replica


async def change_of(replica: Replica, stream: Stream, index: int) -> Change:
    operation = replica.stored(stream)[index]
    return await reader_of(replica).change(stream, operation, offset=7, is_replay=True)


async def test_a_change_carries_the_operation_and_where_it_is_from() -> None:
    replica = await moved()
    change = await change_of(replica, MAIN, 1)
    assert change.operation == replica.stored(MAIN)[1]
    assert change.stream == MAIN
    assert change.document_type == "test/words"
    assert (change.offset, change.is_replay, change.superseded) == (7, True, ())


async def test_what_a_skip_takes_away_comes_along_the_oldest_first() -> None:
    replica = await moved()
    change = await change_of(replica, MAIN, 2)
    assert [one.index for one in change.superseded] == [0, 1]
    assert (await change_of(replica, MAIN, 3)).superseded == ()


async def test_what_was_taken_away_before_is_not_taken_away_again() -> None:
    replica = await moved()
    await replica.submit(load(MAIN, loaded("w00", "ash", "2023-11-14T22:13:20.400000Z")))
    stored = replica.stored(MAIN)
    at = len(stored) - 4
    assert stored[at].skip == 5
    change = await change_of(replica, MAIN, at)
    assert [one.index for one in change.superseded] == [2, 3, 4]


async def test_what_is_taken_away_and_what_comes_make_the_effective_history() -> None:
    for seed in range(20):
        replica, chance = Replica("a"), random.Random(seed)
        await create(replica, "d1")
        await History(replica, chance, ["d1"]).write(20)
        stored = replica.stored(MAIN)
        standing: list[Operation] = []
        for index, operation in enumerate(stored):
            change = await change_of(replica, MAIN, index)
            cut = len(standing) - len(change.superseded)
            assert standing[cut:] == list(change.superseded)
            standing = [*standing[:cut], operation]
            assert standing == effective(stored[: index + 1])


async def test_a_state_is_what_the_stream_showed_after_the_operation() -> None:
    replica = await moved()
    states = [await (await change_of(replica, MAIN, index)).state() for index in range(5)]
    assert states == [
        {"words": ["ash"]},
        {"words": ["ash", "bay"]},
        {"words": ["cup"]},
        {"words": ["cup", "ash"]},
        {"words": ["cup", "ash", "bay"]},
    ]
    own = await (await change_of(replica, HOME, 1)).state()
    assert own["version"] == 1


async def test_the_loop_gets_its_turn_between_many_states(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replica = await moved()
    reader = reader_of(replica)
    changes = [
        await reader.change(MAIN, operation, offset=0, is_replay=False)
        for operation in replica.stored(MAIN)
    ]
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr("docreactor.agents.change_reader._STRETCH_S", -1.0)
    running = asyncio.create_task(others())
    for change in changes:
        await change.state()
    running.cancel()
    assert turns >= len(changes)


async def test_a_state_is_a_value_of_the_callers_own() -> None:
    replica = await moved()
    reader = reader_of(replica)
    operation = replica.stored(MAIN)[1]
    change = await reader.change(MAIN, operation, offset=0, is_replay=False)
    (await change.state())["words"].append("mine")
    assert await change.state() == {"words": ["ash", "bay"]}


async def test_a_gap_in_a_history_is_told() -> None:
    replica = await moved()
    operation = replica.stored(MAIN)[2]
    replica.store.write([(b"o/" + record_key(MAIN, 1), None)], {}, now_ms=1)
    with pytest.raises(CorruptHistoryError, match="no operation 1"):
        await reader_of(replica).change(MAIN, operation, offset=0, is_replay=False)
    with pytest.raises(CorruptHistoryError, match="no operation 1"):
        list(reader_of(replica).history("d1"))


async def test_an_erasure_has_no_operation_and_no_state() -> None:
    replica = await moved()
    reader = reader_of(replica)
    change = reader.erasure("d1", offset=3, is_replay=False)
    assert change.erased
    assert (change.document_id, change.document_type, change.offset) == ("d1", "", 3)
    assert await change.state() is None


async def test_an_erased_document_is_known() -> None:
    replica = await moved()
    reader = reader_of(replica)
    assert not reader.is_erased("d1")
    row = replica.tables.operations.lasting.rows(erased_key("d1"), Erased("d1", EARLY).encode())
    replica.store.write(row, {}, now_ms=1)
    assert reader.is_erased("d1")


async def test_the_position_is_the_operation_stores() -> None:
    replica = await moved()
    assert reader_of(replica).position == 0
    replica.store.write([], {TOPIC: Offset(12)}, now_ms=1)
    assert reader_of(replica).position == 12


async def test_a_history_brings_the_streams_of_a_document_together_by_time() -> None:
    replica = Replica("a")
    await create(replica, "d1")
    local = Stream("d1", "local", "main")
    for number, stream in enumerate([MAIN, local, MAIN, local]):
        replica.clock += 1_000
        action = Action(f"x{number}", "ADD", stream.scope, None, {"word": "ash"})
        await replica.submit(replica.mutation(stream, [action]))
    replica.clock += 1_000
    given: Any = {"document_id": "d1"}
    gone = Action("gone", "DELETE_DOCUMENT", "document", None, given)
    await replica.submit(replica.mutation(HOME, [gone]))
    before = list(reader_of(replica).history("d1"))
    assert [(stream.scope, operation.index) for stream, operation in before] == [
        ("document", 0),
        ("document", 1),
        ("global", 0),
        ("local", 0),
        ("global", 1),
        ("local", 1),
        ("document", 2),
    ]


async def test_a_creation_comes_first_whatever_its_time_and_each_stream_in_its_order() -> None:
    replica = Replica("a")
    replica.clock += 10_000_000
    await replica.create()
    await replica.submit(load(MAIN, loaded("w1", "ash", EARLY)))
    await replica.submit(load(MAIN, loaded("w0", "bay", "2023-11-14T22:13:19.000000Z")))
    history = list(reader_of(replica).history("d1"))
    places = [(stream.scope, operation.index) for stream, operation in history]
    assert places[:2] == [("document", 0), ("document", 1)]
    assert [index for scope, index in places if scope == "global"] == [0, 1, 2]


async def test_a_history_is_what_there_was_when_it_was_asked_for() -> None:
    replica = await moved()
    history = reader_of(replica).history("d1")
    await replica.submit(replica.mutation(MAIN, [word("late", "ash")]))
    assert len(list(history)) == 2 + 5
