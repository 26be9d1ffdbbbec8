"""Where events come from: two topics of the log, and how far reads show them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from docreactor.agents.log import Log, TopicPartition
from docreactor.agents.node import Node
from docreactor.gateway.events.batch import Batches
from docreactor.gateway.events.operations_fold import OperationsFold
from docreactor.gateway.events.relationships_fold import RelationshipsFold
from docreactor.pipeline.errors import NotYetVisibleError
from docreactor.pipeline.position import Offset, Position
from docreactor.pipeline.topics import Topics

Ready = Callable[[Position, float], Awaitable[None]]
"""Returns when every required read model shows the position, or NotYetVisible in so many s."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The log of one deployment, as those who tell of events read it."""

    log: Log
    topics: Topics
    log_id: str
    partition_count: int
    ready: Ready

    @classmethod
    def of(cls, node: Node) -> Self:
        """That of a node, which need not run any of the partitions."""
        return cls(node.log, node.topics, node.log_id, node.partition_count, node.coordinator.wait)

    @property
    def sources(self) -> list[TopicPartition]:
        """Every partition of `operations`, then of `relationships`."""
        topics = (self.topics.operations, self.topics.relationships)
        return [TopicPartition(topic, at) for topic in topics for at in range(self.partition_count)]

    def batches(self, source: TopicPartition, next_offset: Offset) -> Batches:
        """The batches of a partition from there on."""
        is_operations = source.topic == self.topics.operations
        fold = OperationsFold if is_operations else RelationshipsFold
        return Batches(source, next_offset, partial(fold, self.log_id))

    async def ends(self) -> Mapping[TopicPartition, Offset]:
        """Where the next committed record of each partition will lie."""
        return self._in_order(await self.log.end_offsets(self.sources))

    async def starts(self) -> Mapping[TopicPartition, Offset]:
        """Where each partition begins."""
        return self._in_order(await self.log.start_offsets(self.sources))

    def _in_order(
        self, offsets: Mapping[TopicPartition, Offset]
    ) -> Mapping[TopicPartition, Offset]:
        """As every node has the partitions; a broker answers in whatever order."""
        return {source: offsets[source] for source in self.sources}

    async def is_shown(self, wanted: Position, timeout_s: float) -> bool:
        """Whether reads show it, at the latest after so long."""
        try:
            await self.ready(wanted, timeout_s)
        except NotYetVisibleError:
            return False
        return True
