"""Members that remember what they heard, and readers that read to an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from docreactor.agents.log import Isolation, Log, LogRecord, Member, Reader, TopicPartition
from docreactor.pipeline.position import Offset

DEADLINE_S = 40.0


class Following:
    """A member's Assignments."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.sources: frozenset[TopicPartition] = frozenset()
        self.failing = False
        self._member: Member | None = None

    @property
    def member(self) -> Member:
        assert self._member is not None
        return self._member

    async def join(self, log: Log, topics: Sequence[str]) -> None:
        """Become a member; nothing may be heard before it returns."""
        self._member = await log.member(topics, self)
        assert not self.heard

    async def revoked(self, sources: frozenset[TopicPartition]) -> None:
        self.heard.append(f"revoked {len(sources)}")
        assert sources == self.sources
        self.sources = frozenset()

    async def assigned(self, sources: frozenset[TopicPartition]) -> None:
        if self.failing:
            raise ZeroDivisionError
        self.heard.append(f"assigned {len(sources)}")
        self.sources = sources


@asynccontextmanager
async def following(log: Log, topics: Sequence[str]) -> AsyncGenerator[Following, None]:
    """A member for the length of the block."""
    one = Following()
    await one.join(log, topics)
    try:
        yield one
    finally:
        await one.member.close()


async def drive(members: Sequence[Following], reached: Callable[[], bool]) -> None:
    """Let the members fetch until something holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not reached():
            for each in members:
                await each.member.fetch(count_max=1000, timeout_ms=20)


async def read(
    log: Log,
    source: TopicPartition,
    isolation: Isolation = Isolation.COMMITTED,
    *,
    count: int = 0,
) -> tuple[list[LogRecord], Offset]:
    """All that can be seen of a partition, at least so much, and the position after it."""
    end = (await log.end_offsets([source], isolation))[source]
    position = (await log.start_offsets([source]))[source]
    reader = await log.reader({source: position}, isolation)
    records: list[LogRecord] = []
    async with asyncio.timeout(DEADLINE_S):
        while position < end or len(records) < count:
            for fetched in (await reader.fetch(count_max=1000, timeout_ms=1000)).values():
                records += fetched.records
                position = fetched.next_offset
    await reader.close()
    return records, position


async def eventually(ask: Callable[[], Awaitable[Any]], expected: object) -> None:
    """Wait for an answer: what was committed is seen a moment later."""
    async with asyncio.timeout(DEADLINE_S):
        while await ask() != expected:  # noqa: ASYNC110  the log tells by being asked
            await asyncio.sleep(0)


async def read_until(reader: Reader, source: TopicPartition, end: int) -> list[bytes | None]:
    """The values that come until the position of the partition is there; nothing else may come."""
    values: list[bytes | None] = []
    async with asyncio.timeout(DEADLINE_S):
        while True:
            for name, fetched in (await reader.fetch(count_max=1000, timeout_ms=1000)).items():
                assert name == source
                values += [record.value for record in fetched.records]
                if fetched.next_offset >= end:
                    return values
