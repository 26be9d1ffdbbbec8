"""What is done in the background, piece by piece."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest

from docreactor.agents.background import Background


async def test_pieces_are_done_one_at_a_time_and_others_go_on_in_between() -> None:
    background, under_way, most = Background(), 0, 0
    turns: list[int] = []

    async def piece() -> None:
        nonlocal under_way, most
        async with background.piece():
            under_way += 1
            most = max(most, under_way)
            until_s = perf_counter() + 0.002
            while perf_counter() < until_s:
                pass
            under_way -= 1

    async def ask() -> None:
        while not working.done():
            turns.append(len(turns))
            await asyncio.sleep(0)

    working = asyncio.gather(*(piece() for _ in range(5)))
    await ask()
    await working
    assert most == 1
    assert len(turns) > 5


async def test_a_piece_that_fails_lets_the_next_one_in() -> None:
    background = Background()
    with pytest.raises(ValueError, match="no"):
        async with background.piece():
            raise ValueError("no")
    async with asyncio.timeout(10.0), background.piece():
        pass


async def test_a_piece_that_waits_for_something_lets_the_others_go_on() -> None:
    background, gate = Background(), asyncio.Event()

    async def stuck() -> None:
        async with background.piece():
            await gate.wait()

    waiting = asyncio.create_task(stuck())
    await asyncio.sleep(0)
    async with asyncio.timeout(10.0):
        for _ in range(3):
            async with background.piece():
                assert not waiting.done()
    gate.set()
    await waiting
    async with asyncio.timeout(10.0), background.piece():
        pass
