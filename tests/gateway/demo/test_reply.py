"""An answer comes with the time that it took."""

from __future__ import annotations

from time import perf_counter

from docreactor.gateway.demo.reply import ms_since, timed


async def test_what_is_timed_is_answered_as_it_is() -> None:
    async def ask() -> str:
        return "yes"

    answer, ms = await timed(ask)

    assert answer == "yes"
    assert 0 <= ms < 1_000


def test_time_is_told_in_milliseconds() -> None:
    assert 2_000 <= ms_since(perf_counter() - 2) < 3_000
