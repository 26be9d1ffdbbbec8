"""A read model's rows over a replica's log, in this process: fed by hand, restarted at will."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from docreactor.agents.board import Board
from docreactor.agents.clock import SystemClock
from docreactor.agents.coordinator import Coordinator
from docreactor.agents.deployment import Deployment
from docreactor.agents.log import Entry, Isolation, TopicPartition
from docreactor.agents.metrics import Metrics
from docreactor.agents.rows_projection import RowsProjection
from docreactor.agents.shelf import Shelf
from docreactor.pipeline.bound import UNBOUNDED, Bound
from docreactor.pipeline.canonical import decode
from docreactor.pipeline.position import Offset
from docreactor.pipeline.read_model import ReadModel
from docreactor.tables.memory import MemoryStore
from tests.support.nodes import LOG_ID, Site, site
from tests.support.replicas import Replica

ALL_AT_ONCE = 1 << 20


async def _stored(_: int) -> None:
    """The replica's store holds everything."""


@dataclass
class RowKeeping:
    """`store` holds the rows; `place` the log, which gets what the replica stored."""

    replica: Replica
    model: ReadModel
    store: MemoryStore = field(default_factory=MemoryStore)
    place: Site = field(default_factory=site)
    metrics: Metrics = field(default_factory=Metrics)
    bound: Bound = UNBOUNDED
    is_muted: Callable[[], bool] = lambda: False
    waits_s: Sequence[float] = (0.0, 0.0)
    deployment: Deployment = field(init=False)
    projection: RowsProjection = field(init=False)

    def __post_init__(self) -> None:
        settings, topics = self.place.settings, self.place.topics
        log = self.place.log()
        board = Board(log, topics)
        given: dict[str, Any] = {
            "log": log,
            "log_id": LOG_ID,
            "settings": settings,
            "topics": topics,
            "replay": self.replica.replay,
            "board": board,
            "shelf": Shelf(lambda _: self.replica.store, self.replica.replay, settings),
            "coordinator": Coordinator(board, LOG_ID, settings.partitions),
            "metrics": self.metrics,
            "bound": self.bound,
            "clock": SystemClock(),
        }
        unused: dict[str, Any] = {one.name: None for one in fields(Deployment)}
        self.deployment = Deployment(**unused | given)
        self.projection = self.again(self.model)

    def again(self, model: ReadModel) -> RowsProjection:
        """A projection as the next process would make it."""
        self.projection = RowsProjection(
            model,
            self.deployment,
            0,
            self.store,
            self.deployment.shelf.take(0),
            is_muted=self.is_muted,
            waits_s=self.waits_s,
        )
        return self.projection

    @property
    def source(self) -> TopicPartition:
        """Where the operations lie."""
        return self.place.source(self.place.topics.operations)

    async def publish(self) -> None:
        """Bring everything that the replica stored onto the log."""
        there = len(self.place.records(self.source.topic))
        entries = [Entry(one.key, one.value, one.headers) for one in self.replica.sent[there:]]
        if entries:
            await self.place.write(self.source.topic, *entries)
        end = Offset(len(self.place.records(self.source.topic)))
        self.replica.store.write([], {self.source.topic: end}, now_ms=1)

    async def feed(self, cut: Callable[[], int] = lambda: ALL_AT_ONCE) -> None:
        """Publish, and apply what the rows lack in batches of these sizes."""
        await self.publish()
        position: int = await self.projection.open()
        partition = self.place.cluster.partition(self.source)
        while position < partition.end:
            records, after = partition.read(
                Offset(position), count_max=cut(), isolation=Isolation.COMMITTED
            )
            await self.projection.apply(records, after, stored=_stored)
            position = after

    async def retry(self, document_id: str) -> None:
        """As an operator would ask for it; the log may be further than the rows."""
        await self.publish()
        await self.projection.retry(document_id, _stored)

    @property
    def rows(self) -> dict[str, Any]:
        """Every row of the author's."""
        found = self.projection.table.page("", limit=ALL_AT_ONCE)
        return {key: decode(content) for key, content in found}

    @property
    def asides(self) -> dict[str, dict[str, Any]]:
        """The problem of each document that is set aside."""
        return dict(self.projection.quarantined())

    def counted(self, name: str, /, **labels: str) -> float:
        """A figure; 0 when nothing of it was counted."""
        return self.metrics.registry.get_sample_value(f"docreactor_{name}", labels) or 0.0


def by_chance(chance: random.Random) -> Callable[[], int]:
    """Sizes of batches, mostly small."""
    return lambda: chance.choice([1, 1, 2, 3, 10, 1_000])
