"""What need not be looked at again on the way down."""

from __future__ import annotations

import random

import pytest

from docreactor.pipeline.undo import Undoing
from docreactor.tables.descent import ORIGIN, Descent
from docreactor.tables.leaps import Leap, Leaps
from tests.support import oracle
from tests.tables.test_descent import STREAM, Told

KINDS = ["ADD", "ADD", "UNDO", "UNDO", "REDO", "NOOP", "ADD 0 ValueError", "UNDO 0 NothingToUndo"]


def _waiting(*markers: str) -> Undoing:
    undoing = Undoing()
    for marker in markers:
        undoing.counts(marker, has_error=False)
    return undoing


async def _descend(told: Told, target: int, leaps: Leaps | None) -> Descent:
    descent = Descent(told, STREAM, target, leaps=leaps)
    await descent.reach(ORIGIN)
    return descent


@pytest.mark.parametrize("seed", range(300))
async def test_what_counts_is_the_same_with_leaps_and_without(seed: int) -> None:
    chance = random.Random(seed)
    length, history = chance.randint(1, 40), list[str]()
    kinds = chance.choices(KINDS, k=chance.randint(2, 5))
    leaps = Leaps()
    for at in range(length):
        kind = chance.choice(kinds)
        if " " not in kind and chance.random() < 0.1:
            kind = f"{kind} {chance.randint(0, at)}"
        history.append(kind)
        told = Told(*history)
        plain = await _descend(told, at, None)
        if not plain.serves(ORIGIN):
            history[-1] = "UNDO 0 NothingToUndo"
            told = Told(*history)
            plain = await _descend(told, at, None)
        descent = await _descend(told, at, leaps)
        assert descent.counting(ORIGIN) == plain.counting(ORIGIN)
        standing = oracle.effective(told.operations)
        assert descent.counting(ORIGIN) == [one.index for one in oracle.live(standing)]
        whole = [index for index in descent.counting(ORIGIN) if descent.is_whole(index)]
        for index in whole:
            of_its_own = await _descend(told, index, None)
            assert [one for one in whole if one <= index] == of_its_own.counting(ORIGIN)
        if descent.leap is not None and chance.random() < 0.8:
            leaps.add(at, descent.leap)


@pytest.mark.parametrize(
    "history",
    [
        ["ADD"] * 500 + ["UNDO"] * 500,
        ["ADD"] * 500 + ["UNDO"] * 500 + ["REDO"] * 500,
        ["ADD"] * 500 + ["UNDO", "REDO"] * 500,
        ["ADD"] * 500 + ["NOOP"] + ["UNDO"] * 500,
        ["ADD"] * 500 + ["UNDO"] * 500 + ["ADD"] + ["REDO"] * 500,
    ],
)
async def test_a_marker_in_a_run_looks_at_few_operations(history: list[str]) -> None:
    told, leaps = Told(*history), Leaps()
    for target in range(500, len(history)):
        descent = Descent(told, STREAM, target, leaps=leaps)
        told.pages.clear()
        for label in range(target, ORIGIN - 1, -1):
            await descent.reach(label)
            if descent.serves(label):
                break
        assert len(told.pages) <= 4
        if descent.leap is not None:
            leaps.add(target, descent.leap)


def test_what_waits_leaps_over_nothing_that_it_would_find() -> None:
    leaps = Leaps()
    leaps.add(9, Leap(7, has_taken=True))
    leaps.add(5, Leap(2, (4,), has_left=True))
    undo, redo, nothing = _waiting("UNDO"), _waiting("REDO"), _waiting()
    assert [leaps.below(9, one) is not None for one in (undo, redo, nothing)] == [True, False, True]
    assert [leaps.below(5, one) is not None for one in (undo, redo, nothing)] == [False, True, True]
    assert leaps.below(8, nothing) is None


def test_leaps_behind_each_other_are_one() -> None:
    leaps = Leaps()
    leaps.add(1, Leap(0))
    leaps.add(3, Leap(1, (2,)))
    leaps.add(5, Leap(3, has_taken=True))
    leaps.add(7, Leap(5))
    assert leaps.below(3, _waiting()) == Leap(0, (2,))
    assert leaps.below(5, _waiting()) == Leap(0, (2,), has_taken=True)
    assert leaps.below(7, _waiting()) == Leap(5), "a REDO may make the one and not the other"
