"""A log in memory to subscribe to, and a say in what reads show of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from docreactor.agents.board import Board
from docreactor.agents.coordinator import Coordinator, ready_key
from docreactor.agents.edge_record import change_entry, position_entry
from docreactor.agents.log import Entry, Isolation, LogRecord, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_reader import MemoryReader
from docreactor.gateway.events.cursor import Cursor
from docreactor.gateway.events.ground import Ground
from docreactor.gateway.events.hub import Hub
from docreactor.gateway.events.parents import Parents
from docreactor.gateway.events.subscription import Subscription, Told
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.edge import Change, Edge, EdgeKey, Kind
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.position import Offset, Position
from docreactor.pipeline.record import HEADERS, Headers
from tests.support.nodes import LOG_ID, Site, site

WHEN = "2024-01-01T00:00:00.000000Z"
EVERYTHING = Wish()


class BreakingLog(MemoryLog):
    """A log whose readers may break, as connections do."""

    def __init__(self, place: Site) -> None:
        super().__init__(place.cluster, place.settings)
        self.readers: list[MemoryReader] = []

    async def reader(
        self,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> MemoryReader:
        self.readers.append(await super().reader(sources, isolation))
        return self.readers[-1]

    async def break_readers(self) -> None:
        """Have every reader that is open refuse its next fetch."""
        for reader in self.readers:
            await reader.close()


@dataclass(slots=True)
class Scene:
    """One deployment without a worker: what it stores is written here, by hand."""

    place: Site
    log: BreakingLog
    ground: Ground
    parents: Parents
    board: Board
    edges: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])

    async def store(self, *entries: Entry, partition: int = 0, topic: str = "") -> int:
        """One transaction; the next offset after its records."""
        source = TopicPartition(topic or self.place.topics.operations, partition)
        transactor = await self.log.transactor(f"writer-{partition}")
        async with transactor.transaction() as transaction:
            firsts = await transaction.send({source: entries})
        return firsts[source] + len(entries)

    async def relate(self, *changes: Change, upto: int, partition: int = 0) -> int:
        """One transaction of edges, which is as far as this offset of operations."""
        entries = [*map(change_entry, changes), position_entry(Offset(upto))]
        return await self.store(
            *entries, partition=partition, topic=self.place.topics.relationships
        )

    def show(self, next_offset: int, partition: int = 0) -> None:
        """Let reads show everything below the offset."""
        self.board.tell(ready_key(partition), {"epoch": 1, "next_offset": next_offset})

    def show_all(self) -> None:
        """Let reads show everything that will ever be written."""
        for partition in range(self.place.settings.partitions):
            self.show(2**40, partition)

    def hub(self, events_max: int = 1_000) -> Hub:
        """Who subscribes on this node."""
        return Hub(self.ground, self.parents, events_max=events_max)

    async def cursor(self) -> Cursor:
        """That of somebody who has seen everything."""
        return Cursor.at(LOG_ID, await self.ground.ends())


@asynccontextmanager
async def scene(**settings: Any) -> AsyncGenerator[Scene]:
    """One partition, unless told otherwise; reads show nothing yet."""
    place = site(**settings)
    log, count = BreakingLog(place), place.settings.partitions
    board = Board(log, place.topics)
    coordinator = Coordinator(board, LOG_ID, count)
    ground = Ground(log, place.topics, LOG_ID, count, coordinator.wait)
    edges: set[tuple[str, str, str]] = set()

    async def wait(wanted: Position, timeout_s: float) -> None:
        await coordinator.wait(wanted, timeout_s)

    def has(source_id: str, target_id: str, types: Sequence[str], branch: str) -> bool:
        return (source_id, target_id, branch) in edges

    parents = Parents(log, place.topics.operations, LOG_ID, count, wait, has)
    try:
        yield Scene(place, log, ground, parents, board, edges)
    finally:
        await board.close()
        await log.close()


def operation(
    document_id: str,
    action_type: str = "ADD",
    *,
    scope: str = "global",
    branch: str = "main",
    index: int = 0,
    error: str | None = None,
    headers: Headers = HEADERS,
) -> Entry:
    """The record of an operation of a ledger."""
    action = StoredAction(id=f"a{index}", type=action_type, scope=scope, timestamp=WHEN, input={})
    stored = Operation(
        id=f"o{index}",
        document_type="test/ledger",
        index=index,
        skip=0,
        timestamp=WHEN,
        hash="",
        previous=None,
        error=error,
        action=action,
    )
    return Entry(record_key(Stream(document_id, scope, branch), index), stored.encode(), headers)


def creation(document_id: str, branch: str = "main") -> list[Entry]:
    """The records of a creation."""
    return [
        operation(document_id, "CREATE_DOCUMENT", scope="document", branch=branch),
        operation(document_id, "UPGRADE_DOCUMENT", scope="document", branch=branch, index=1),
    ]


def edge(source_id: str, target_id: str, kind: Kind = "added") -> Change:
    """A change of an edge of type child."""
    key = EdgeKey(source_id, "main", "child", target_id)
    made = None
    if kind != "removed":
        made = Edge(**key._asdict(), metadata=None, created_at=WHEN, updated_at=WHEN)
    return Change(key, made, kind)


def records(place: Site, topic: str, number: int = 0) -> list[LogRecord]:
    """What a partition holds."""
    return place.records(topic, number)


async def taken(subscription: Subscription, count: int) -> list[Told]:
    """So many events, which must come in time, and none beyond."""
    told: list[Told] = []
    for _ in range(1_000):
        told += await subscription.take(0.02)
        if len(told) >= count:
            break
    told += await subscription.take(0.0)
    assert len(told) == count, told
    return told


def names(told: Sequence[Told]) -> list[str]:
    """What was told of what."""
    return [f"{one.notice.event} {one.notice.ids[0]}" for one in told]
