"""A refold gives every state of a stream from the stored operations alone."""

from __future__ import annotations

import pytest

from docreactor.pipeline.errors import HashMismatchError
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.settings import Settings
from docreactor.tables.refold import Refold
from tests.tables.verifiable import GLOBAL, Verifiable
from tests.tables.written import home


def refold(place: Verifiable) -> Refold:
    document = place.written.states[home("d")][-1].state
    operations = place.written.operations
    return Refold(place.written.replay, operations, Settings(), GLOBAL, document)


def stored(place: Verifiable, index: int) -> Operation:
    return Operation.decode(place.written.operations.get(GLOBAL, index) or b"")


async def test_every_state_is_the_one_that_was_written() -> None:
    place = Verifiable.filled(40)
    folding = refold(place)

    for index, state in enumerate(place.written.states[GLOBAL]):
        assert await folding.advance(stored(place, index)) == state


@pytest.mark.parametrize("skip", [1, 7, 400, 899, 900])
async def test_a_skip_builds_on_the_state_below_what_it_supersedes(skip: int) -> None:
    place = Verifiable.filled(900)
    place.written.append(GLOBAL, {"text": "again"}, skip=skip)
    place.written.add(GLOBAL, 2)
    folding = refold(place)

    for index, state in enumerate(place.written.states[GLOBAL]):
        assert await folding.advance(stored(place, index)) == state


async def test_a_state_that_was_not_recorded_is_refused() -> None:
    place = Verifiable.filled(5)
    place.change(2, lambda operation: operation.update(hash="other"))
    folding = refold(place)
    await folding.advance(stored(place, 0))
    await folding.advance(stored(place, 1))

    with pytest.raises(HashMismatchError):
        await folding.advance(stored(place, 2))
