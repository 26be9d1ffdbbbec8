"""When requests are due: one after the other, or at a fixed rate whatever the answers do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

# Not the loop's own clock, which need not be as fine.

Ask = Callable[[int], Awaitable[None]]
"""Sends the request of this number and returns when it has its answer."""


async def one_by_one(ask: Ask, count: int) -> list[float]:
    """Seconds per request; each is due when the one before it has its answer."""
    taken: list[float] = []
    for number in range(count):
        since = perf_counter()
        await ask(number)
        taken.append(perf_counter() - since)
    return taken


async def side_by_side(ask: Ask, count: int, *, at_once: int) -> float:
    """Seconds that so many requests take together, so many of them under way at any time."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await ask(number)

    begin = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(work())
    return perf_counter() - begin


async def at_rate(ask: Ask, *, per_s: float, seconds: float) -> list[float]:
    """Seconds per request, each from the moment it was due: a late start counts as waiting."""
    count = max(1, round(per_s * seconds))
    taken = [0.0] * count

    async def timed(number: int, due: float) -> None:
        await ask(number)
        taken[number] = perf_counter() - due

    begin = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            due = begin + number / per_s
            ahead = due - perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            tasks.create_task(timed(number, due))
    return taken
