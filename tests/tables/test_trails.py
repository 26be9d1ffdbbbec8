"""The trails of several streams share one bound."""

from __future__ import annotations

from docreactor.pipeline.keys import Stream
from docreactor.tables.trails import Trails
from tests.tables.test_trail import state

STREAMS = [Stream(f"d{at}", "global", "main") for at in range(10)]


def _bytes(trails: Trails) -> int:
    return sum(trails.of(stream).bytes for stream in STREAMS if trails.has(stream))


def test_each_stream_has_a_trail_of_its_own() -> None:
    trails = Trails()
    trails.add(STREAMS[0], state(3))
    trails.add(STREAMS[1], state(5))
    assert [one.label for one in trails.of(STREAMS[0]).upto(9)] == [3]
    assert [one.label for one in trails.of(STREAMS[1]).upto(9)] == [5]
    assert trails.of(STREAMS[2]).upto(9) == []


def test_a_trail_that_is_removed_is_begun_anew() -> None:
    trails = Trails()
    trails.add(STREAMS[0], state(3))
    trails.remove(STREAMS[0])
    trails.remove(STREAMS[1])
    assert not trails.has(STREAMS[0])
    assert len(trails) == 0
    assert trails.of(STREAMS[0]).upto(9) == []


def test_all_are_within_one_bound_and_the_last_one_stays() -> None:
    trails = Trails()
    for label in range(20):
        for stream in STREAMS:
            trails.add(stream, state(label, 1 << 20))
            assert _bytes(trails) <= 16 << 20
            assert trails.of(stream).upto(label)[0].label == label
    trails.add(STREAMS[0], state(20, 40 << 20))
    assert [stream for stream in STREAMS if trails.has(stream)] == [STREAMS[0]]


def test_what_was_met_counts_with_the_next_state() -> None:
    trails = Trails()
    for stream in STREAMS[:5]:
        for label in range(10):
            trails.of(stream).meet(state(label, 1 << 19))
        trails.add(stream, state(10))
    assert _bytes(trails) <= 16 << 20
    assert trails.has(STREAMS[4])
