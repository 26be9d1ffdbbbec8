"""Which events are of children of given documents, as the graph of this node has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Self

from docreactor.agents.log import Log, TopicPartition
from docreactor.agents.node import Node
from docreactor.gateway.events.notice import Notice
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.edge import CHILD
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.position import Partition, Position

Has = Callable[[str, str, Sequence[str], str], bool]
"""Whether an edge of one of these types leads from one document to another on a branch."""


@dataclass(frozen=True, slots=True)
class Parents:
    """Asks the graph, once it shows all that was written before it was asked."""

    log: Log
    topic: str
    log_id: str
    partition_count: int
    wait: Callable[[Position, float], Awaitable[None]]
    has: Has

    @classmethod
    def of(cls, node: Node) -> Self:
        """As the graph of a node has them."""
        graph, topic = node.graph, node.topics.operations
        return cls(node.log, topic, node.log_id, node.partition_count, graph.wait, graph.table.has)

    async def admit(self, wish: Wish, notices: Sequence[Notice], timeout_s: float) -> list[bool]:
        """Of each event, whether it is of a child now. NotYetVisible, or Restoring.

        The edge to a new document was written before the document, in another partition: where
        the events have been read, the end of that partition lies behind the edge.
        """
        partitions = {partition_for(parent, self.partition_count) for parent in wish.parents}
        ends = await self.log.end_offsets([TopicPartition(self.topic, at) for at in partitions])
        written = {Partition(source.partition): end for source, end in ends.items()}
        await self.wait(Position(self.log_id, written), timeout_s)
        return [self._is_child(wish, notice) for notice in notices]

    def _is_child(self, wish: Wish, notice: Notice) -> bool:
        branches = [notice.branch] if notice.branch else sorted(wish.branches) or [DEFAULT_BRANCH]
        return any(
            self.has(parent, child, (CHILD,), branch)
            for parent in wish.parents
            for child in notice.ids
            for branch in branches
        )
