"""Readers and members on a cluster in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docreactor.agents.log import Assignments, Fetched, Isolation, TopicPartition
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.agents.log.memory_group import MemoryGroup
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset


@dataclass(slots=True)
class _Source:
    position: Offset
    paused: bool


class MemoryReader:
    """A Reader of a MemoryCluster."""

    def __init__(
        self,
        cluster: MemoryCluster,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> None:
        self._cluster = cluster
        self._isolation = isolation
        self._is_closed = False
        self._sources: dict[TopicPartition, _Source] = {}
        self._follow(sources, paused=False)

    async def fetch(self, *, count_max: int, timeout_ms: int) -> Mapping[TopicPartition, Fetched]:
        """As `Reader.fetch`; the timeout is the event loop's time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_ms / 1000
        await asyncio.sleep(0)
        while True:
            if self._is_closed:
                raise LogError("this reader was closed: open another")
            if await self._may_read() and (fetched := self._take(count_max)):
                return fetched
            if (left := until - loop.time()) <= 0:
                return {}
            await self._cluster.change(timeout_s=left)

    def seek(self, source: TopicPartition, offset: Offset) -> None:
        """As `Reader.seek`."""
        if state := self._sources.get(source):
            state.position = offset
            self._cluster.notify()

    async def close(self) -> None:
        """Idempotent."""
        self._is_closed = True
        self._cluster.notify()

    def _follow(self, sources: Mapping[TopicPartition, Offset], *, paused: bool) -> None:
        self._sources = {name: _Source(offset, paused) for name, offset in sources.items()}

    async def _may_read(self) -> bool:
        return True

    def _take(self, count_max: int) -> Mapping[TopicPartition, Fetched]:
        fetched: dict[TopicPartition, Fetched] = {}
        for name, state in self._sources.items():
            if state.paused or not count_max:
                continue
            records, position = self._cluster.partition(name).read(
                state.position, count_max=count_max, isolation=self._isolation
            )
            if position != state.position:
                state.position = position
                fetched[name] = Fetched(records, position)
                count_max -= len(records)
        for name in fetched:
            self._sources[name] = self._sources.pop(name)
        return fetched


class MemoryMember(MemoryReader):
    """A Member of a MemoryCluster's group. It lets go, joins and is told inside `fetch`."""

    def __init__(
        self,
        cluster: MemoryCluster,
        group: MemoryGroup,
        topics: Sequence[str],
        assignments: Assignments,
    ) -> None:
        super().__init__(cluster, {})
        self.topics = topics
        self._group = group
        self._assignments = assignments
        self._generation = group.generation
        group.enter(self)
        cluster.notify()

    def pause(self, *sources: TopicPartition) -> None:
        """As `Member.pause`."""
        self._set_paused(sources, paused=True)

    def resume(self, *sources: TopicPartition) -> None:
        """As `Member.resume`."""
        self._set_paused(sources, paused=False)
        self._cluster.notify()

    async def close(self) -> None:
        """As `Member.close`."""
        self._group.leave(self)
        self._follow({}, paused=True)
        await super().close()

    def _set_paused(self, sources: Sequence[TopicPartition], *, paused: bool) -> None:
        for source in sources:
            if state := self._sources.get(source):
                state.paused = paused

    async def _may_read(self) -> bool:
        """Whether the member has its part of the group's generation."""
        if self._generation == self._group.generation:
            return True
        if self._sources:
            sources = frozenset(self._sources)
            self._follow({}, paused=True)
            await self._assignments.revoked(sources)
        self._group.join(self)
        self._cluster.notify()
        counts = {name: topic.partition_count for name, topic in self._cluster.topics.items()}
        assigned = self._group.assignment(self, counts)
        if assigned is None:
            return False
        self._generation = self._group.generation
        self._follow(dict.fromkeys(sorted(assigned), Offset(0)), paused=True)
        await self._assignments.assigned(assigned)
        return True
