"""What has been fetched of one partition and not yet been worked on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from docreactor.agents.log import Fetched, Flow, LogRecord, TopicPartition
from docreactor.pipeline.position import Offset


class Room(NamedTuple):
    """A bound on records and on the bytes of their values; one record always fits."""

    records: int
    bytes: int

    def is_full(self, records: int, size: int) -> bool:
        """Whether so much has used it up."""
        return records >= self.records or size >= self.bytes


class _Batch(NamedTuple):
    """A fetch and the bytes of its values."""

    fetched: Fetched
    size: int


class Inbox:
    """A bounded queue: over its bound it pauses its partition, under half of it resumes it."""

    def __init__(self, source: TopicPartition, flow: Flow, room: Room) -> None:
        self._source = source
        self._flow = flow
        self._room = room
        self._batches: deque[_Batch] = deque()
        self._count = 0
        self._size = 0
        self._paused = False
        self._closing = asyncio.Event()
        self._filled = asyncio.Event()

    def offer(self, fetched: Fetched) -> None:
        """Take in what a fetch brought."""
        size = _size(fetched.records)
        self._batches.append(_Batch(fetched, size))
        self._count += len(fetched.records)
        self._size += size
        self._filled.set()
        if not self._paused and self._room.is_full(self._count, self._size):
            self._paused = True
            self._flow.pause(self._source)

    def close(self) -> None:
        """Wake whoever waits; from now on `take` returns what is there or None, at once."""
        self._closing.set()
        self._filled.set()

    def clear(self) -> None:
        """Drop what is there."""
        self._batches.clear()
        self._count = self._size = 0
        if self._paused:
            self._paused = False
            self._flow.resume(self._source)

    def wake(self) -> None:
        """Have whoever waits look up: `take` returns None if nothing has come."""
        self._filled.set()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closing.is_set()

    async def closed(self, timeout_s: float) -> bool:
        """Whether it is closed, as soon as it is; false after the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._closing.wait()
        except TimeoutError:
            return False
        return True

    async def take(self, room: Room, *, timeout_s: float) -> Fetched | None:
        """The next records in order, as many as fit; None after the timeout."""
        if not self._batches and not self._closing.is_set():
            self._filled.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._filled.wait()
            except TimeoutError:
                return None
        if not self._batches:
            return None
        taken = self._join(room)
        if self._paused and not self._room.is_full(2 * self._count, 2 * self._size):
            self._paused = False
            self._flow.resume(self._source)
        return taken

    def _join(self, room: Room) -> Fetched:
        records: list[LogRecord] = []
        size = 0
        next_offset = self._batches[0].fetched.next_offset
        while self._batches and not room.is_full(len(records), size):
            batch, weight = self._batches.popleft()
            count = len(batch.records)
            if len(records) + count > room.records or size + weight > room.bytes:
                left = Room(room.records - len(records), room.bytes - size)
                count = _fitting(batch.records, left, is_first=not records)
            if count < len(batch.records):
                taken, rest = batch.records[:count], batch.records[count:]
                left_over = _size(rest)
                self._batches.appendleft(_Batch(Fetched(rest, batch.next_offset), left_over))
                if taken:
                    next_offset = Offset(taken[-1].offset + 1)
                records += taken
                size += weight - left_over
                break
            next_offset = batch.next_offset
            records += batch.records
            size += weight
        self._count -= len(records)
        self._size -= size
        return Fetched(records, next_offset)


def _size(records: Sequence[LogRecord]) -> int:
    return sum([len(record.value or b"") for record in records])


def _fitting(records: Sequence[LogRecord], room: Room, *, is_first: bool) -> int:
    """How many of the records fit; of the first batch one at least."""
    size = 0
    for count, record in enumerate(records):
        size += len(record.value or b"")
        if (count or not is_first) and (count >= room.records or size > room.bytes):
            return count
    return len(records)
