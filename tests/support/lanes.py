"""One partition of `operations` in memory, its member's feed, and lanes over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from docreactor.agents.background import Background
from docreactor.agents.feed import Feed
from docreactor.agents.inbox import Room
from docreactor.agents.log import Entry, LogRecord, TopicPartition
from docreactor.agents.pause import Pause
from docreactor.agents.projection import Stored
from docreactor.agents.table_lane import TableLane, Tempo
from docreactor.pipeline.errors import FencedError, ReactorError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.registry import Registry
from docreactor.tables.wait import Reached
from tests.support.nodes import Site, site, until
from tests.support.projecting import Nothing

MUCH = Room(1_000_000, 1_000_000_000)


class Flow:
    """Whether the group's member may fetch."""

    is_held = False

    def pause(self, *sources: TopicPartition) -> None:
        self.is_held = True

    def resume(self, *sources: TopicPartition) -> None:
        self.is_held = False


@dataclass
class Told:
    """What a lane told of itself."""

    errors: list[ReactorError | OSError | None] = field(default_factory=list)
    caught: int = 0
    at_end: asyncio.Event = field(default_factory=asyncio.Event)

    def failed(self, error: ReactorError | OSError | None) -> None:
        self.errors.append(error)

    def caught_up(self) -> None:
        self.caught += 1
        self.at_end.set()

    def progressed(self) -> None:
        return None


class Slow(Nothing):
    """A projection that applies a batch only when it is let, after noting that it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored
    ) -> None:
        self.asked.set()
        await self.gate.wait()
        await super().apply(records, next_offset, stored=stored)

    async def at(self, position: int) -> None:
        """Wait until it is there."""
        await until(lambda: self.position == position)


class Waits(Nothing):
    """A projection that needs the operation store to be as far, after noting that it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored
    ) -> None:
        self.asked.set()
        await stored(next_offset)
        await super().apply(records, next_offset, stored=stored)


class Scene:
    """One partition of `operations`, its member's feed, and lanes over it."""

    def __init__(self) -> None:
        self.place: Site = site()
        self.source = self.place.source(self.place.topics.operations)
        self.log = self.place.log()
        self.flow = Flow()
        self.feed = Feed(self.source, self.flow, Offset(0))
        self.stored = Reached(1_000_000)
        self.count = 0

    async def write(self, count: int) -> None:
        """So many more records on the log."""
        entries = [Entry(b"k%d" % (self.count + at), b"{}") for at in range(count)]
        await self.place.write(self.source.topic, *entries)
        self.count += count

    async def offer(self, count: int | None = None) -> None:
        """Have the member fetch what there is, or the next so many."""
        reader = await self.log.reader({self.source: self.feed.position})
        wanted = self.count if count is None else self.feed.position + count
        while self.feed.position < wanted:
            left = wanted - self.feed.position
            fetched = await reader.fetch(count_max=left, timeout_ms=1_000)
            self.feed.offer(fetched[self.source])
        await reader.close()

    @asynccontextmanager
    async def lane(
        self,
        projection: Nothing,
        told: Told | None = None,
        *,
        start: int = 0,
        ahead: Room = MUCH,
        room: Room = MUCH,
        holds: bool = True,
        is_gentle: Callable[[], bool] = lambda: False,
    ) -> AsyncIterator[tuple[TableLane, asyncio.Task[None]]]:
        """One that runs; at the end it is stopped, if it has not ended."""
        lane = TableLane(
            self.log,
            self.feed,
            projection,
            ahead,
            start=Offset(start),
            stored=self.stored,
            reached=Reached(),
            tempo=Tempo(room, Background(), is_gentle, holds),
            watch=told or Told(),
            pause=lambda inbox: Pause(inbox, Registry([]), lambda _: None, lambda: 0.5),
        )
        task = asyncio.create_task(lane.run())
        try:
            yield lane, task
        finally:
            lane.stop()
            async with asyncio.timeout(10):
                await asyncio.wait({task})
            if not task.cancelled() and not isinstance(task.exception(), FencedError):
                task.result()
