"""Gives the loop its turn amid work that is long and never waits."""

from __future__ import annotations

import asyncio
from time import perf_counter

STRETCH_S = 0.02


class Turns:
    """One piece of work's. Between two turns it goes on for `STRETCH_S` and one step more."""

    def __init__(self) -> None:
        self._since = perf_counter()

    @property
    def is_due(self) -> bool:
        """Whether the work has gone on for long enough."""
        return perf_counter() - self._since > STRETCH_S

    async def give(self) -> None:
        """Let others run if they have waited for long enough. Whoever is cancelled ends here."""
        if self.is_due:
            await asyncio.sleep(0)
            self._since = perf_counter()
