"""Some of the states that one stream went through."""

from __future__ import annotations

from itertools import pairwise

from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.undo import Undoing
from docreactor.tables.leaps import Leap
from docreactor.tables.trail import Trail


def state(label: int, size: int = 2) -> StreamState:
    return StreamState(label, 1, {}, b"x" * size, "")


def test_it_remembers_the_newest_states_and_some_of_the_older_ones() -> None:
    trail = Trail()
    for label in range(1_000):
        trail.add(state(label))
    labels = [one.label for one in trail.upto(999)]
    assert labels[:10] == list(range(999, 989, -1))
    assert labels == sorted(labels, reverse=True)
    assert 30 <= len(labels) <= 74
    assert max(a - b for a, b in pairwise(labels)) <= 32


def test_it_gives_no_state_of_a_higher_label() -> None:
    trail = Trail()
    for label in (0, 3, 7):
        trail.add(state(label))
    assert [one.label for one in trail.upto(6)] == [3, 0]
    assert trail.upto(-1) == []


def test_large_states_are_fewer() -> None:
    trail = Trail()
    for label in range(100):
        trail.add(state(label, 4 << 20))
        assert sum(len(one.content) for one in trail.upto(label)) <= 16 << 20
    assert trail.upto(99)[0].label == 99
    trail.add(state(100, 40 << 20))
    assert [one.label for one in trail.upto(100)] == [100]


def test_what_was_met_last_is_remembered_whatever_its_label() -> None:
    trail = Trail()
    for label in range(1_000):
        trail.add(state(label))
    for label in range(200, 300):
        trail.meet(state(label))
    labels = [one.label for one in trail.upto(999)]
    assert labels == sorted(labels, reverse=True)
    assert set(range(240, 300)) <= set(labels)
    assert len(labels) <= 140


def test_large_states_that_were_met_are_fewer() -> None:
    trail = Trail()
    trail.add(state(1_000, 1 << 20))
    for label in range(100):
        trail.meet(state(label, 1 << 20))
        assert sum(len(one.content) for one in trail.upto(1_000)) <= trail.bytes <= 16 << 20
    assert [one.label for one in trail.upto(1_000)][:3] == [1_000, 99, 98]
    trail.meet(state(100, 40 << 20))
    assert 100 not in [one.label for one in trail.upto(1_000)]


def test_it_keeps_the_leaps_of_its_states() -> None:
    trail = Trail()
    trail.add(state(5), Leap(3))
    trail.add(state(6))
    assert trail.leaps.below(5, Undoing()) == Leap(3)
    assert trail.leaps.below(6, Undoing()) is None
