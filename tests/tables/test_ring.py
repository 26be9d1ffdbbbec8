"""A ring keeps the newest states."""

from __future__ import annotations

from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.ring import Ring


def _state(label: int, version: int = 1, content: bytes = b"{}") -> StreamState:
    return StreamState(label, version, {"label": label}, content, "hash")


def _ring(capacity: int, *labels: int) -> Ring:
    ring = Ring(capacity)
    for label in labels:
        ring.push(_state(label))
    return ring


def test_states_come_in_the_order_they_were_pushed() -> None:
    assert [state.label for state in _ring(5, 3, 1, 2)] == [3, 1, 2]


def test_a_full_ring_overwrites_the_one_pushed_first() -> None:
    ring = _ring(3, 1, 2, 3, 4, 5)

    assert [state.label for state in ring] == [3, 4, 5]
    assert len(ring) == 3


def test_a_ring_of_one_holds_the_newest() -> None:
    assert [state.label for state in _ring(1, 1, 2)] == [2]


def test_a_state_is_found_by_its_label() -> None:
    ring = _ring(5, 4, 7)

    assert ring.at(7) == _state(7)
    assert ring.at(5) is None


def test_of_two_states_of_one_label_the_one_pushed_last_is_found() -> None:
    ring = _ring(5, 4)
    ring.push(_state(4, version=2))

    assert ring.at(4) == _state(4, version=2)


def test_lower_labels_come_the_highest_first() -> None:
    assert [state.label for state in _ring(5, 9, 2, 7, 4).below(7)] == [4, 2]
    assert _ring(5, 3).below(3) == []


def test_a_ring_says_which_labels_it_has() -> None:
    ring = _ring(2, 4, 7, 9)

    assert [label for label in range(10) if ring.has(label)] == [7, 9]


def test_the_nearest_state_is_of_the_target_or_of_the_highest_label_below_it() -> None:
    ring = _ring(5, 9, 2, 7, 4)

    assert ring.nearest(7) == _state(7)
    assert ring.nearest(6) == _state(4)
    assert ring.nearest(1) is None


def test_without_a_target_the_nearest_is_the_highest_label() -> None:
    assert _ring(5, 2, 9, 4).nearest() == _state(9)
    assert Ring(5).nearest() is None


def test_of_two_nearest_states_of_one_label_the_one_pushed_last_is_found() -> None:
    ring = _ring(5, 4)
    ring.push(_state(4, version=2))

    assert ring.nearest(5) == _state(4, version=2)


def test_a_ring_knows_how_large_its_states_are() -> None:
    ring = Ring(2)
    gained = [ring.push(_state(label, content=b"x" * size)) for label, size in enumerate((5, 3, 4))]

    assert gained == [5, 3, -1]
    assert ring.bytes == 7


def test_a_cleared_ring_is_empty() -> None:
    ring = _ring(5, 1, 2)
    ring.clear()

    assert len(ring) == 0
    assert ring.bytes == 0
