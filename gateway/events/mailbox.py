"""What waits to be told to one subscriber: so many events, and no more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from docreactor.agents.log import TopicPartition
from docreactor.gateway.events.batch import Batch


class Letter(NamedTuple):
    """One event of a batch; None for the end of it, when nothing of it is left to tell."""

    batch: Batch
    at: int | None


class Mailbox:
    """In the order in which it was put in."""

    def __init__(self, events_max: int) -> None:
        self._events_max = events_max
        self._letters: deque[Letter] = deque()
        self._ends: dict[TopicPartition, Batch] = {}
        self._wake = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """Whether no event waits."""
        return not self._letters

    def put(self, batch: Batch, wanted: Sequence[int]) -> bool:
        """Add these events of a batch. False when there is no room, and then none is added."""
        if len(self._letters) + len(wanted) > self._events_max:
            return False
        self._letters.extend(Letter(batch, at) for at in wanted)
        # Of a busy log of which little is wanted, only how far it went is kept.
        self._ends[batch.source] = batch
        if wanted:
            self._wake.set()
        return True

    def wake(self) -> None:
        """Let whoever waits here look about."""
        self._wake.set()

    async def take(self, count_max: int, timeout_s: float) -> list[Letter]:
        """So many at most, after so long at the latest; behind the last, where each batch ends."""
        if not self._letters and timeout_s > 0:
            self._wake.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
        taken = [self._letters.popleft() for _ in range(min(count_max, len(self._letters)))]
        if not self._letters:
            taken.extend(self._passed())
        return taken

    def _passed(self) -> Iterator[Letter]:
        for batch in self._ends.values():
            yield Letter(batch, None)
        self._ends.clear()
