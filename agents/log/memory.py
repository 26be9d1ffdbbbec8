"""The log in memory: the same promises as a Kafka's, without time, chance or threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docreactor.agents.log import Assignments, Isolation, TopicPartition
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.agents.log.memory_reader import MemoryMember, MemoryReader
from docreactor.agents.log.memory_transactor import Hook, MemoryTransactor, MemoryWriter
from docreactor.pipeline.errors import GroupHasMembersError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import TopicDeclaration


async def no_hook(step: str) -> None:
    """Do nothing between two steps."""


class MemoryLog:
    """A Log on a MemoryCluster; a second one on the same cluster is a second process."""

    def __init__(self, cluster: MemoryCluster, settings: Settings, hook: Hook = no_hook) -> None:
        self._cluster = cluster
        self._group = f"{settings.app}-reactor"
        self._record_bytes_max = settings.record_bytes_max
        self._hook = hook
        self._members: list[MemoryMember] = []

    async def transactor(self, transactional_id: str) -> MemoryTransactor:
        """As `Log.transactor`."""
        await self._hook("open")
        session = self._cluster.open(transactional_id)
        await self._hook("opened")
        return MemoryTransactor(self._cluster, session, self._group, self._hook)

    async def writer(self) -> MemoryWriter:
        """As `Log.writer`."""
        return MemoryWriter(self._cluster, self._hook, record_bytes_max=self._record_bytes_max)

    async def reader(
        self,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> MemoryReader:
        """As `Log.reader`."""
        return MemoryReader(self._cluster, sources, isolation)

    async def member(self, topics: Sequence[str], assignments: Assignments) -> MemoryMember:
        """As `Log.member`; `assignments` hears from inside the member's `fetch`."""
        group = self._cluster.groups[self._group]
        member = MemoryMember(self._cluster, group, topics, assignments)
        self._members.append(member)
        return member

    async def committed(self, source: TopicPartition) -> Offset | None:
        """As `Log.committed`."""
        return self._cluster.committed[self._group].get(source)

    async def note(self, source: TopicPartition) -> str:
        """As `Log.note`."""
        return self._cluster.notes[self._group].get(source, "")

    async def commit(self, next_offsets: Mapping[TopicPartition, Offset]) -> None:
        """As `Log.commit`."""
        if self._cluster.groups[self._group].has_members:
            raise GroupHasMembersError(self._group)
        self._cluster.committed[self._group].update(next_offsets)
        self._cluster.notes[self._group].update(dict.fromkeys(next_offsets, ""))

    async def start_offsets(
        self, sources: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.start_offsets`."""
        return {source: Offset(self._cluster.partition(source).start) for source in sources}

    async def end_offsets(
        self,
        sources: Sequence[TopicPartition],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.end_offsets`."""
        return {
            source: self._cluster.partition(source).visible_end(isolation) for source in sources
        }

    async def offsets_since(
        self, times_ms: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.offsets_since`."""
        return {
            source: self._cluster.partition(source).since(time_ms)
            for source, time_ms in times_ms.items()
        }

    async def create(self, topics: Sequence[TopicDeclaration]) -> Sequence[str]:
        """As `Log.create`."""
        return [topic.name for topic in topics if self._cluster.create(topic)]

    async def describe(self, names: Sequence[str]) -> Sequence[TopicDeclaration]:
        """As `Log.describe`, with the configuration that each was created with."""
        return [self._cluster.topics[name] for name in names if name in self._cluster.topics]

    async def broker_count(self) -> int:
        """As `Log.broker_count`."""
        return self._cluster.broker_count

    async def crash(self) -> None:
        """Leave as a process that was killed, its session over: what was open stays open."""
        for member in self._members:
            await member.close()

    async def close(self) -> None:
        """As `Log.close`."""
        await self.crash()
