"""How far a table is, for those who wait until it is further."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count

_Waiter = tuple[int, int, asyncio.Future[None]]


class Reached:
    """The next offset of one partition in one table. It never goes back."""

    def __init__(self, next_offset: int = 0) -> None:
        self._next_offset = next_offset
        self._waiters: list[_Waiter] = []
        self._numbers = count()
        self._left = 0
        self._listeners: list[Callable[[int], None]] = []

    @property
    def next_offset(self) -> int:
        """The first offset that the table does not show yet."""
        return self._next_offset

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiters) - self._left

    def listen(self, listener: Callable[[int], None]) -> None:
        """Call it with the next offset whenever that moves."""
        self._listeners.append(listener)

    def forget(self, listener: Callable[[int], None]) -> None:
        """Call it no more."""
        self._listeners.remove(listener)

    def advance(self, next_offset: int) -> None:
        """Wake those who wait for no more than this. A lower offset changes nothing."""
        if next_offset <= self._next_offset:
            return
        self._next_offset = next_offset
        for listener in self._listeners:
            listener(next_offset)
        waiters = self._waiters
        while waiters and waiters[0][0] <= self._next_offset:
            _, _, woken = heappop(waiters)
            if woken.done():
                self._left -= 1
            else:
                woken.set_result(None)

    async def wait(self, next_offset: int, timeout_s: float) -> None:
        """Return once the table shows everything below `next_offset`, or TimeoutError."""
        if self._next_offset >= next_offset:
            return
        woken = asyncio.get_running_loop().create_future()
        heappush(self._waiters, (next_offset, next(self._numbers), woken))
        try:
            async with asyncio.timeout(timeout_s):
                await woken
        except BaseException:
            self._leave(woken)
            raise

    def _leave(self, woken: asyncio.Future[None]) -> None:
        """Forget a waiter that went away; the heap is cleaned when half of it is such."""
        if not woken.cancelled():
            return
        self._left += 1
        if self._left * 2 > len(self._waiters):
            self._waiters = [waiter for waiter in self._waiters if not waiter[2].cancelled()]
            heapify(self._waiters)
            self._left = 0
