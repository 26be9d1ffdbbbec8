"""On a real Kafka one owner publishes, the one before it is fenced, and every graph shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from docreactor.agents.board import Board
from docreactor.agents.graph_follower import GraphFollower
from docreactor.agents.log import Entry, Log, LogRecord, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import create_topics
from docreactor.pipeline.errors import FencedError
from docreactor.pipeline.position import Partition, Position
from docreactor.pipeline.settings import Settings
from docreactor.tables.graph import GraphTable
from docreactor.tables.memory import MemoryStore
from tests.agents.log.following import eventually, read
from tests.support.kafka import Kafka
from tests.support.nodes import LOG_ID, Site, until
from tests.support.relating import History, Publisher, folded, only_edges, position_in, publisher

pytestmark = pytest.mark.kafka
CANCELLED = 12


class Mirrored(History):
    """A history that stands on a Kafka too, at the same offsets."""

    def __init__(self, log: Log, settings: Settings) -> None:
        super().__init__(Site(settings))
        self.log = log

    async def write(self, *, stored: bool = True) -> int:
        """As `History.write`."""
        entries = [Entry(*pair) for pair in self.queue]
        end = await super().write(stored=stored)
        transactor = await self.log.transactor(f"{self.place.settings.app}-the-reducer")
        async with transactor.transaction() as transaction:
            await transaction.send({self.source: entries})
        await transactor.close()
        await eventually(lambda: self.log.end_offsets([self.source]), {self.source: end})
        return end

    async def topic(self) -> list[LogRecord]:
        """What can be read of the edges."""
        source = TopicPartition(self.place.topics.relationships, 0)
        records, _ = await read(self.log, source)
        return records

    async def check(self, one: Publisher) -> None:
        """Own rows and the topic are exactly what the operations come to."""
        expected = self.expected(one.position)
        assert only_edges(folded(await self.topic())) == expected
        assert one.rows == expected


@pytest.fixture
def settings(app: str) -> Settings:
    return Settings(app=app, partitions=1, replication_factor=1, min_insync_replicas=1)


@pytest.fixture
async def history(kafka: Kafka, settings: Settings) -> AsyncGenerator[Mirrored, None]:
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        await create_topics(log, settings)
        yield Mirrored(log, settings)


@asynccontextmanager
async def _graph(history: Mirrored) -> AsyncGenerator[GraphFollower, None]:
    place = history.place
    table = GraphTable(MemoryStore(), partition_count=1, documents_max=1_000)
    graph = GraphFollower(
        history.log,
        place.topics,
        table,
        Board(history.log, place.topics),
        place.settings,
        log_id=LOG_ID,
        now_ms=lambda: 1,
    )
    task = asyncio.create_task(graph.run())
    try:
        await until(lambda: graph.is_ready)
        yield graph
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_edges_are_published_and_every_graph_shows_them(history: Mirrored) -> None:
    history.add("a", "b", metadata={"n": 1})
    history.add("a", "c")
    history.tell("a", "UNDO")
    await history.write()
    one = publisher(history, to=history.log)
    async with _graph(history) as graph:
        await one.open()
        await one.run()
        await history.check(one)
        await graph.wait(Position(LOG_ID, {Partition(0): one.position}), 10.0)
        assert graph.table.counts("main") == {"child": 1}
        history.erase("a")
        history.tell("b", "WRITE", {}, scope="global")
        await history.write()
        await one.run()
        await graph.wait(Position(LOG_ID, {Partition(0): one.position}), 10.0)
        assert graph.table.counts("main") == {}
        await history.check(one)
    async with _graph(history) as again:
        await again.wait(Position(LOG_ID, {Partition(0): one.position}), 10.0)
        assert again.table.counts("main") == {}
    await one.agent.close()


async def test_the_owner_before_is_fenced_and_the_next_goes_on(history: Mirrored) -> None:
    history.add("a", "b")
    await history.write()
    old = publisher(history, to=history.log, host="A")
    await old.open()
    await old.run()
    new = publisher(history, to=history.log, host="B")
    await new.open()
    assert new.position == old.position == position_in(folded(await history.topic()))
    history.add("a", "c")
    history.tell("a", "SET_NAME", {"name": "n"}, skip=2)
    await history.write()
    with pytest.raises(FencedError):
        await old.run()
    await old.agent.close()
    await new.run()
    await history.check(new)
    assert new.rows == {}
    await new.agent.close()


async def test_a_rebuild_publishes_what_differs(history: Mirrored) -> None:
    for number in range(30):
        history.add(f"d{number}", "x")
    await history.write()
    one = publisher(history, to=history.log, size=50)
    await one.open()
    await one.run()
    before = len(await history.topic())
    await one.agent.refold(lambda _: None, stored=history.stored)
    assert len(await history.topic()) == before
    writer = await history.log.writer()
    ghost = one.rows[b"d0/main/child/x"].replace(b'"x"', b'"y"')
    source = TopicPartition(history.place.topics.relationships, 0)
    await writer.append(source, [Entry(b"d0/main/child/y", ghost)])
    await writer.close()
    await one.agent.close()
    await one.open()
    assert b"d0/main/child/y" in one.rows
    # Operations lie ahead that are none of the position's yet.
    history.remove("d1", "x")
    await history.write()
    await one.agent.refold(lambda _: None, stored=history.stored)
    await history.check(one)
    await one.run()
    await history.check(one)
    await one.agent.close()


async def test_a_cancellation_at_any_moment_leaves_all_or_nothing(history: Mirrored) -> None:
    one = publisher(history, to=history.log)
    for number in range(CANCELLED):
        history.add("a", f"x{number}")
        history.tell("a", "UNDO")
        history.add("b", f"x{number}")
        await history.write()
        await one.open()
        running = asyncio.create_task(one.run())
        for _ in range(number * 3):
            await asyncio.sleep(0)
        if number % 2:
            await asyncio.sleep(number / 1_000)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await one.agent.close()
        await one.open()
        assert one.rows == only_edges(folded(await history.topic()))
        assert one.rows == history.expected(one.position)
        await one.agent.close()
    await one.open()
    await one.run()
    await history.check(one)
    await one.agent.close()
