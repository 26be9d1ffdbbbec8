"""A plan holds the keyframes that a reducer with the same settings would have kept."""

from __future__ import annotations

from docreactor.pipeline.errors import HashMismatchError
from docreactor.tables.keyframe_plan import KeyframePlan, plan
from tests.tables.verifiable import GLOBAL, Verifiable
from tests.tables.written import home


async def planned(place: Verifiable, next_index: int) -> KeyframePlan:
    document = place.written.states[home("d")][-1].state
    return await plan(place.tables, GLOBAL, next_index, document)


async def test_keyframes_are_those_of_the_states_at_their_labels() -> None:
    place = Verifiable.filled(300)

    found = await planned(place, 300)

    assert found.broken is None
    assert found.state == place.written.states[GLOBAL][299]
    assert len(found.wanted) >= 2
    for label, kept in found.wanted.items():
        assert kept == place.written.keyframe(GLOBAL, label)


async def test_a_plan_ends_where_it_was_told_to() -> None:
    place = Verifiable.filled(100)

    found = await planned(place, 40)

    assert found.state is not None and found.state.label == 39
    assert max(found.wanted) < 40


async def test_a_plan_ends_before_what_cannot_be_replayed() -> None:
    place = Verifiable.filled(100)
    place.change(60, lambda operation: operation.update(hash="other"))

    found = await planned(place, 100)

    assert isinstance(found.broken, HashMismatchError)
    assert found.state is not None and found.state.label == 59
    assert max(found.wanted) < 60


async def test_no_operations_need_no_keyframes() -> None:
    assert (await planned(Verifiable.filled(1), 0)).wanted == {}


async def test_missing_operations_end_a_plan() -> None:
    place = Verifiable.filled(5)
    for index in range(5):
        place.put(index, None)

    assert (await planned(place, 5)).wanted == {}
