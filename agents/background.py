"""What a process does in the background: one piece at a time, with a rest after each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import perf_counter

_REST = 1.0
"""As long as the piece took: whoever is asked meanwhile is answered in between."""


class Background:
    """Shared by all that may wait. A piece should take some milliseconds at most."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def piece(self) -> AsyncGenerator[None]:
        """Do a piece of work inside of the block, when it is its turn."""
        async with self._one_at_a_time:
            begun_s = perf_counter()
            yield
            await asyncio.sleep(_REST * (perf_counter() - begun_s))
