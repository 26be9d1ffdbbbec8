"""Long work gives the loop its turn."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.gateway import turns
from docreactor.gateway.turns import Turns


async def test_short_work_goes_on_alone() -> None:
    others: list[str] = []
    asyncio.get_running_loop().call_soon(others.append, "ran")

    given = Turns()
    await given.give()

    assert not given.is_due
    assert others == []


async def test_long_work_lets_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    others: list[str] = []
    asyncio.get_running_loop().call_soon(others.append, "ran")
    given = Turns()

    monkeypatch.setattr(turns, "STRETCH_S", 0)
    assert given.is_due
    await given.give()

    assert others == ["ran"]


async def test_whoever_is_cancelled_ends_at_the_next_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []

    async def work() -> None:
        given = Turns()
        while True:
            steps.append(len(steps))
            await given.give()

    monkeypatch.setattr(turns, "STRETCH_S", 0)
    working = asyncio.ensure_future(work())
    while len(steps) < 3:  # noqa: ASYNC110  the work tells nobody
        await asyncio.sleep(0)
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
