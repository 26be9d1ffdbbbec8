"""The hub's reading of the log: as long as anybody subscribes on this node, once for all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from docreactor.agents.log import Fetched, Reader, TopicPartition
from docreactor.gateway.events.batch import Batch, Batches
from docreactor.gateway.events.ground import Ground
from docreactor.gateway.events.subscription import Subscription
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.position import Offset

_RECORDS_AT_ONCE = 4_000
_FETCH_MS = 200
_PATIENCE_S = 5.0


@dataclass(slots=True)
class Lane:
    """One partition: what has been read and may not be told yet, oldest first.

    `lost_from` is where it must be read again, because more came than is held.
    """

    batches: Batches
    held: deque[Batch] = field(default_factory=deque[Batch])
    events: int = 0
    lost_from: Offset | None = None
    is_released: bool = False

    def hold(self, batch: Batch, events_max: int) -> None:
        """Keep a batch until reads show it, unless too much is kept already."""
        if self.lost_from is not None:
            return
        if self.held and self.events + len(batch.notices) > events_max:
            self.lost_from = batch.start
            return
        self.held.append(batch)
        self.events += len(batch.notices)

    def release(self) -> Batch:
        """The oldest batch, which is held no more."""
        batch = self.held.popleft()
        self.events -= len(batch.notices)
        return batch


class Reading:
    """Reads both topics from given offsets on, and offers each batch to all who are attached.

    A partition that reads do not show holds up its own events alone.
    """

    def __init__(
        self,
        ground: Ground,
        reader: Reader,
        begins: Mapping[TopicPartition, Offset],
        *,
        held_max: int,
    ) -> None:
        self._ground = ground
        self._reader = reader
        self._held_max = held_max
        self._published = dict(begins)
        self._lanes = {
            source: Lane(ground.batches(source, offset)) for source, offset in begins.items()
        }
        self._attached: dict[Wish, list[Subscription]] = {}

    @property
    def published(self) -> Mapping[TopicPartition, Offset]:
        """Up to where everything has been told."""
        return self._published

    def attach(self, subscription: Subscription) -> None:
        """Offer every batch beyond to this one too."""
        self._attached.setdefault(subscription.wish, []).append(subscription)

    def detach(self, subscription: Subscription) -> None:
        """Offer it nothing more. Idempotent."""
        alike = self._attached.get(subscription.wish, [])
        if subscription in alike:
            alike.remove(subscription)
        if not alike:
            self._attached.pop(subscription.wish, None)

    async def run(self) -> None:
        """Read and tell, until cancelled. LogError when the log must be opened again."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._read()
                    for source, lane in self._lanes.items():
                        if lane.held and not lane.is_released:
                            lane.is_released = True
                            tasks.create_task(self._release(source, lane))
        finally:
            await self._reader.close()

    async def _read(self) -> None:
        for source, lane in self._lanes.items():
            if lane.lost_from is not None and not lane.held:
                self._reader.seek(source, lane.lost_from)
                lane.batches = self._ground.batches(source, lane.lost_from)
                lane.lost_from = None
        fetched = await self._reader.fetch(count_max=_RECORDS_AT_ONCE, timeout_ms=_FETCH_MS)
        for source, brought in fetched.items():
            self._take(self._lanes[source], brought)
            await asyncio.sleep(0)
        if not fetched:
            await self._close_last()

    def _take(self, lane: Lane, brought: Fetched) -> None:
        if lane.lost_from is None:
            for batch in lane.batches.take(brought.records, brought.next_offset):
                lane.hold(batch, self._held_max)

    async def _close_last(self) -> None:
        """End batches behind which nothing stands: what no transaction wrote has no marker."""
        opened = [source for source, lane in self._lanes.items() if lane.batches.is_open]
        if not opened:
            return
        ends = await self._ground.log.end_offsets(opened)
        for source in opened:
            lane = self._lanes[source]
            if lane.batches.next_offset >= ends[source]:
                for batch in lane.batches.close():
                    lane.hold(batch, self._held_max)

    async def _release(self, source: TopicPartition, lane: Lane) -> None:
        """Tell what is held, each batch once reads show it."""
        while lane.held:
            if await self._ground.is_shown(lane.held[0].wanted, _PATIENCE_S):
                self._publish(lane.release())
                await asyncio.sleep(0)
        lane.is_released = False

    def _publish(self, batch: Batch) -> None:
        self._published[batch.source] = batch.end
        for wish, alike in list(self._attached.items()):
            wanted = [at for at, notice in enumerate(batch.notices) if wish.admits(notice)]
            for subscription in list(alike):
                if not subscription.offer(batch, wanted):
                    self.detach(subscription)
