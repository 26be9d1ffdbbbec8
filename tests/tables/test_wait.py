"""Who waits for an offset is woken when it is reached, and not before."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.tables.wait import Reached

LONG_S = 30.0


async def _turn() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_reached_is_not_waited_for() -> None:
    reached = Reached(7)

    await reached.wait(0, LONG_S)
    await reached.wait(7, LONG_S)
    assert reached.next_offset == 7


async def test_a_waiter_is_woken_by_its_offset_and_by_a_later_one() -> None:
    reached = Reached()
    exact = asyncio.create_task(reached.wait(5, LONG_S))
    lower = asyncio.create_task(reached.wait(3, LONG_S))
    await _turn()
    reached.advance(5)

    await asyncio.gather(exact, lower)
    assert reached.waiting == 0


async def test_a_waiter_sleeps_until_its_own_offset() -> None:
    reached = Reached()
    waiters = [asyncio.create_task(reached.wait(offset, LONG_S)) for offset in (9, 2, 5, 5)]
    await _turn()
    reached.advance(5)
    await _turn()

    assert [waiter.done() for waiter in waiters] == [False, True, True, True]
    assert reached.waiting == 1
    reached.advance(9)
    await asyncio.gather(*waiters)


async def test_what_is_reached_never_goes_back() -> None:
    reached = Reached(5)
    reached.advance(3)

    assert reached.next_offset == 5


async def test_a_wait_that_runs_out_is_a_timeout_and_leaves_the_others_waiting() -> None:
    reached = Reached()
    other = asyncio.create_task(reached.wait(5, LONG_S))
    await _turn()
    with pytest.raises(TimeoutError):
        await reached.wait(5, 0.01)
    with pytest.raises(TimeoutError):
        await reached.wait(5, -1.0)

    assert reached.waiting == 1
    reached.advance(5)
    await other


async def test_a_wait_can_be_cancelled() -> None:
    reached = Reached()
    waiter = asyncio.create_task(reached.wait(5, LONG_S))
    await _turn()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter

    assert reached.waiting == 0
    reached.advance(5)


async def test_those_who_went_away_do_not_pile_up() -> None:
    reached = Reached()
    stays = asyncio.create_task(reached.wait(1_000, LONG_S))
    for _ in range(50):
        gone = asyncio.create_task(reached.wait(2_000, LONG_S))
        await _turn()
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)

    assert reached.waiting == 1
    assert len(reached._waiters) <= 2
    reached.advance(1_000)
    await stays


async def test_one_who_left_below_the_top_is_forgotten_when_its_offset_is_reached() -> None:
    reached = Reached()
    waiters = [asyncio.create_task(reached.wait(offset, LONG_S)) for offset in (1, 2, 3, 4)]
    await _turn()
    waiters[1].cancel()
    await _turn()
    assert reached.waiting == 3
    reached.advance(3)
    await _turn()

    assert [waiter.done() for waiter in waiters] == [True, True, True, False]
    assert reached.waiting == 1
    reached.advance(4)
    await waiters[3]


async def test_ten_thousand_waiters_are_woken_each_at_its_offset() -> None:
    reached = Reached()
    waiters = [asyncio.create_task(reached.wait(offset, LONG_S)) for offset in range(1, 10_001)]
    await _turn()
    for offset in range(1, 10_001):
        reached.advance(offset)

    await asyncio.gather(*waiters)
    assert reached.waiting == 0
