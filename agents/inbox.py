"""What has been fetched of one partition and not yet been worked on."""

from __future__ import annotations

import asyncio
from collections import deque

from docreactor.agents.log import Fetched, Flow, LogRecord, TopicPartition
from docreactor.pipeline.position import Offset


class Inbox:
    """A bounded queue: over its bound it pauses its partition, under half of it resumes it."""

    def __init__(self, source: TopicPartition, flow: Flow, *, records_max: int) -> None:
        self._source = source
        self._flow = flow
        self._records_max = records_max
        self._batches: deque[Fetched] = deque()
        self._count = 0
        self._paused = False
        self._closed = False
        self._filled = asyncio.Event()

    def offer(self, fetched: Fetched) -> None:
        """Take in what a fetch brought."""
        self._batches.append(fetched)
        self._count += len(fetched.records)
        self._filled.set()
        if self._count >= self._records_max and not self._paused:
            self._paused = True
            self._flow.pause(self._source)

    def close(self) -> None:
        """Wake whoever waits; from now on `take` returns what is there or None, at once."""
        self._closed = True
        self._filled.set()

    async def take(self, *, count_max: int, timeout_s: float) -> Fetched | None:
        """The next records in order, at most so many; None after the timeout."""
        if not self._batches and not self._closed:
            self._filled.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._filled.wait()
            except TimeoutError:
                return None
        if not self._batches:
            return None
        taken = self._join(count_max)
        self._count -= len(taken.records)
        if self._paused and self._count < self._records_max // 2:
            self._paused = False
            self._flow.resume(self._source)
        return taken

    def _join(self, count_max: int) -> Fetched:
        records: list[LogRecord] = []
        next_offset = self._batches[0].next_offset
        while self._batches:
            batch = self._batches[0]
            room = count_max - len(records)
            if len(batch.records) > room:
                if room:
                    records += batch.records[:room]
                    next_offset = Offset(records[-1].offset + 1)
                    self._batches[0] = Fetched(batch.records[room:], batch.next_offset)
                break
            records += batch.records
            next_offset = batch.next_offset
            self._batches.popleft()
        return Fetched(records, next_offset)
