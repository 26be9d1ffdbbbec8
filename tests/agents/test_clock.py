"""Time, as an argument."""

import time

from docreactor.agents.clock import SystemClock


def test_wall_time_is_told_in_two_units() -> None:
    clock = SystemClock()
    before = time.time()
    seconds = clock.now_us() / 1_000_000, clock.now_ms() / 1000
    assert all(before - 0.01 <= one <= time.time() + 0.01 for one in seconds)


def test_monotonic_time_does_not_go_back() -> None:
    clock = SystemClock()
    first = clock.monotonic_s()
    assert clock.monotonic_s() >= first
