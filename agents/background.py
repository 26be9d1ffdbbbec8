"""What a process does in the background: one piece at a time, with a rest after each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import perf_counter

_REST = 1.0
"""As long as the piece took: whoever is asked meanwhile is answered in between."""
_LONG_S = 0.25
"""What takes longer waits for something, and computes nothing meanwhile."""


class Background:
    """Shared by all that may wait. A piece should take some milliseconds at most."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def piece(self) -> AsyncGenerator[None]:
        """Do a piece of work inside of the block, when it is its turn.

        One that takes long keeps the others waiting for a moment only.
        """
        turn = _Turn(self._one_at_a_time)
        await self._one_at_a_time.acquire()
        letting_on = asyncio.get_running_loop().call_later(_LONG_S, turn.end)
        begun_s = perf_counter()
        try:
            yield
            await asyncio.sleep(min(_LONG_S, _REST * (perf_counter() - begun_s)))
        finally:
            letting_on.cancel()
            turn.end()


class _Turn:
    """One piece's hold on the others."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._has_ended = False

    def end(self) -> None:
        """Let the next one in. Idempotent."""
        if not self._has_ended:
            self._has_ended = True
            self._lock.release()
