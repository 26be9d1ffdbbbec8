"""The states that streams went through, asked for in the order of the log."""

from __future__ import annotations

import asyncio
import random

import pytest

from docreactor.pipeline.errors import HashMismatchError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.timestamp import Microseconds, parse, render
from docreactor.tables import past_states
from docreactor.tables.past_states import PastStates
from tests.agents.test_many_undos import RUNS, calls, counter
from tests.agents.test_odd_jobs import LATER, load
from tests.support.drawn_history import History, create
from tests.support.replicas import MAIN, Replica
from tests.support.seeds import Seeds
from tests.tables.cached import STREAM, Place
from tests.tables.written import home


def _states(place: Place, streams_max: int = 100) -> PastStates:
    return PastStates(
        place.replay,
        place.written.operations,
        place.keyframes,
        place.cache,
        streams_max=streams_max,
    )


def _operation(place: Place, index: int, stream: Stream = STREAM) -> Operation:
    return Operation.decode(place.written.operations.get(stream, index) or b"")


async def test_in_the_order_of_the_log_each_costs_one_reduce() -> None:
    place = Place(operations=50)
    states = _states(place)
    for index in range(50):
        assert await states.after(STREAM, _operation(place, index)) == place.states[index]
    assert place.replay.applied == list(range(50))


async def test_what_is_left_out_is_made_up_for_by_the_next_that_is_asked_for() -> None:
    place = Place(operations=50)
    states = _states(place)
    for index in (3, 20, 49):
        assert (await states.after(STREAM, _operation(place, index))).hash == (
            place.states[index].hash
        )
    assert place.replay.applied == list(range(50))


async def test_the_same_again_costs_nothing_and_an_earlier_one_is_built_again() -> None:
    place = Place(operations=10)
    states = _states(place)
    for index in (9, 9, 4):
        await states.after(STREAM, _operation(place, index))
    assert place.replay.applied == [*range(10), *range(5)]


async def test_a_keyframe_spares_the_beginning() -> None:
    place = Place(operations=50, keyframes=[40])
    await _states(place).after(STREAM, _operation(place, 45))
    assert place.replay.applied == [41, 42, 43, 44, 45]


async def test_what_the_write_cache_holds_is_taken_and_nothing_is_put_there() -> None:
    place = Place(operations=50)
    await place.cache.get(STREAM)
    place.replay.applied.clear()
    assert await _states(place).after(STREAM, _operation(place, 49)) == place.states[49]
    assert place.replay.applied == []
    place.cache.clear()
    await _states(place).after(STREAM, _operation(place, 10))
    assert place.cache.streams() == []


async def test_the_documents_own_stream_has_states_too() -> None:
    place = Place(operations=1)
    own = home("d")
    for index in (0, 1):
        state = await _states(place).after(own, _operation(place, index, own))
        assert state.hash == place.written.states[own][index].hash


async def test_a_document_that_moved_on_is_looked_at_again() -> None:
    place = Place(operations=2)
    states = _states(place)
    await states.after(STREAM, _operation(place, 0))
    place.written.delete("d")
    assert await states.after(STREAM, _operation(place, 1)) == place.states[1]


async def test_what_replay_raises_comes_out_and_what_was_held_stays() -> None:
    place = Place(operations=3)
    states = _states(place)
    await states.after(STREAM, _operation(place, 0))
    place.replay.fails_at = 1
    with pytest.raises(HashMismatchError):
        await states.after(STREAM, _operation(place, 1))
    place.replay.fails_at = None
    assert await states.after(STREAM, _operation(place, 1)) == place.states[1]


async def test_what_is_forgotten_is_built_again_from_its_beginning() -> None:
    place = Place(operations=3)
    states = _states(place)
    for is_whole in (False, True):
        await states.after(STREAM, _operation(place, 1))
        if is_whole:
            states.clear()
        else:
            states.forget("d")
        place.replay.applied.clear()
        await states.after(STREAM, _operation(place, 2))
        assert place.replay.applied == [0, 1, 2]


async def test_it_holds_so_many_streams_and_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(operations=3)
    others = place.others(3)
    for streams_max, bytes_max in ((2, 1 << 20), (100, 40)):
        monkeypatch.setattr(past_states, "_BYTES_MAX", bytes_max)
        states = _states(place, streams_max)
        await states.after(STREAM, _operation(place, 1))
        for other in others:
            await states.after(other, _operation(place, 0, other))
        states.begin()
        place.replay.applied.clear()
        await states.after(others[-1], _operation(place, 0, others[-1]))
        assert place.replay.applied == []
        await states.after(STREAM, _operation(place, 2))
        assert place.replay.applied == [0, 1, 2]


@pytest.mark.parametrize("run", RUNS)
async def test_a_run_of_undos_is_not_gone_through_for_each(run: str) -> None:
    kinds, _ = RUNS[run]
    replica = Replica("a", models=(counter,))
    await replica.create()
    times = [render(Microseconds(parse(LATER) + at)) for at in range(len(kinds))]
    given = [StoredAction(f"x{at}", kind, "global", times[at], {}) for at, kind in enumerate(kinds)]
    assert await replica.submit(load(MAIN, *given)) == [None]
    tables = replica.tables
    tables.cache.clear()
    states = PastStates(
        replica.replay, tables.operations, tables.keyframes, tables.cache, streams_max=10
    )
    calls.clear()
    for operation in replica.stored(MAIN):
        assert (await states.after(MAIN, operation)).hash == operation.hash
    assert len(calls) < 4 * len(kinds)


async def _whatever_is_asked(seed: int) -> None:
    chance = random.Random(seed)
    replica = Replica("a")
    ids = ["d1", "d2"]
    for document_id in ids:
        await create(replica, document_id)
    await History(replica, chance, ids).write(chance.randint(5, 25))
    tables = replica.tables
    states = PastStates(
        replica.replay,
        tables.operations,
        tables.keyframes,
        tables.cache,
        streams_max=chance.choice([1, 2, 100]),
    )
    asked = chance.choice([0.2, 1.0])
    if chance.random() < 0.5:
        tables.cache.clear()
    for record in replica.sent:
        document_id, scope, branch, _ = record.key.decode().split("/")
        operation = Operation.decode(record.value or b"")
        if chance.random() < asked:
            state = await states.after(Stream(document_id, scope, branch), operation)
            assert (state.label, state.hash) == (operation.index, operation.hash)
        if chance.random() < 0.05:
            states.begin()
        if chance.random() < 0.02:
            states.forget(document_id)


@pytest.mark.seeds(60, each=20)
def test_whatever_is_asked_is_what_the_operation_recorded(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            asyncio.run(_whatever_is_asked(seed))
