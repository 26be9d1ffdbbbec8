"""Requests at a pace."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.bench.pace import at_rate, one_by_one, side_by_side


async def test_one_by_one_waits_for_each_answer_before_the_next_request() -> None:
    under_way: list[int] = []

    async def ask(number: int) -> None:
        under_way.append(number)
        await asyncio.sleep(0)
        assert under_way[-1] == number

    taken = await one_by_one(ask, 5)

    assert under_way == [0, 1, 2, 3, 4]
    assert len(taken) == 5


async def test_side_by_side_so_many_are_under_way_at_once_and_each_is_asked_once() -> None:
    under_way, most, asked = 0, 0, list[int]()

    async def ask(number: int) -> None:
        nonlocal under_way, most
        asked.append(number)
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1

    seconds = await side_by_side(ask, 12, at_once=4)

    assert most == 4
    assert sorted(asked) == list(range(12))
    assert 0.03 <= seconds < 0.12


async def test_a_rate_is_kept_although_no_answer_comes() -> None:
    asked: list[int] = []
    all_asked = asyncio.Event()

    async def ask(number: int) -> None:
        asked.append(number)
        if len(asked) == 20:
            all_asked.set()
        await all_asked.wait()

    taken = await at_rate(ask, per_s=1_000, seconds=0.02)

    assert asked == list(range(20))
    assert taken[0] > taken[-1]


async def test_time_counts_from_when_a_request_was_due_and_not_from_when_it_was_sent() -> None:
    loop = asyncio.get_running_loop()

    async def ask(number: int) -> None:
        if number == 0:
            stall_until = loop.time() + 0.1
            while loop.time() < stall_until:
                pass

    taken = await at_rate(ask, per_s=1_000, seconds=0.05)

    assert taken[1] > 0.05


async def test_a_request_that_fails_ends_the_whole_of_it() -> None:
    async def ask(number: int) -> None:
        raise ConnectionResetError

    with pytest.raises(ExceptionGroup) as caught:
        await at_rate(ask, per_s=1_000, seconds=0.01)

    assert caught.group_contains(ConnectionResetError)
