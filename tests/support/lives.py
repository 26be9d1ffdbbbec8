"""Processes that come and go over one log while documents live, as a seed says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from docreactor.agents.acceptance import accept
from docreactor.agents.live import LivePartition
from docreactor.agents.log import Assignments, Fetched, Isolation, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_reader import MemoryMember, MemoryReader
from docreactor.agents.model_row import BUILT_IN
from docreactor.agents.node import Node
from docreactor.pipeline.errors import RestoringError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from tests.support.drawn_jobs import NEVER, DrawnJobs, Ticks
from tests.support.nodes import KeptStore, Site, live, until
from tests.support.words import words

PARTITIONS = 3
HERE, THERE = "here", "there"
_EVERYTHING = b"\xff"
_REMAINS = (b"c/", b"c0")

Rows = dict[bytes, bytes]


class Pace(random.Random):
    """How much a fetch brings, and how often others go first."""

    def count(self, count_max: int) -> int:
        """So many records at most."""
        return min(count_max, self.choice([1, 2, 3, 7, 1_000]))

    async def __call__(self, step: str) -> None:
        """A hook between two steps of writing."""
        for _ in range(self.choice([0, 0, 1, 5])):
            await asyncio.sleep(0)


class _Reader(MemoryReader):
    def __init__(self, pace: Pace, *given: Any) -> None:
        super().__init__(*given)
        self._pace = pace

    async def fetch(self, *, count_max: int, timeout_ms: int) -> Mapping[TopicPartition, Fetched]:
        count_max = self._pace.count(count_max)
        return await super().fetch(count_max=count_max, timeout_ms=timeout_ms)


class _Member(MemoryMember):
    def __init__(self, pace: Pace, *given: Any) -> None:
        super().__init__(*given)
        self._pace = pace

    async def fetch(self, *, count_max: int, timeout_ms: int) -> Mapping[TopicPartition, Fetched]:
        count_max = self._pace.count(count_max)
        return await super().fetch(count_max=count_max, timeout_ms=timeout_ms)


class PacedLog(MemoryLog):
    """A log that gives what it has in portions of any size."""

    def __init__(self, place: Site, pace: Pace) -> None:
        super().__init__(place.cluster, place.settings, pace)
        self._place = place
        self._pace = pace
        self._joined: list[MemoryMember] = []

    async def reader(
        self,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> MemoryReader:
        """As `Log.reader`."""
        return _Reader(self._pace, self._place.cluster, sources, isolation)

    async def member(self, topics: Sequence[str], assignments: Assignments) -> MemoryMember:
        """As `Log.member`."""
        cluster = self._place.cluster
        group = cluster.groups[f"{self._place.settings.app}-reactor"]
        self._joined.append(_Member(self._pace, cluster, group, topics, assignments))
        return self._joined[-1]

    async def crash(self) -> None:
        """As `MemoryLog.crash`."""
        for member in self._joined:
            await member.close()


class Life:
    """Documents over several partitions, and two disks on which their tables are kept."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.clock = Ticks()
        self.place = Site(self._settings(), models=(words,))
        self.drawn = DrawnJobs(self.chance, PARTITIONS, self.clock)

    def _settings(self) -> Settings:
        chance = self.chance
        return Settings(
            app="test",
            partitions=PARTITIONS,
            replication_factor=1,
            min_insync_replicas=1,
            batch_jobs_max=chance.choice([1, 2, 5, 1_000]),
            cache_documents_max=chance.choice([1, 2, 5]),
            cache_ring_states=chance.choice([1, 3]),
            keyframe_policy=chance.choice(["fixed", "adaptive"]),
            keyframe_interval=chance.choice([1, 2, 5]),
            keyframes_kept=chance.choice([1, 3]),
            reshuffle_rows_max=chance.choice([3, 100_000, 100_000]),
        )

    @asynccontextmanager
    async def process(self, disk: str) -> AsyncIterator[Node]:
        """One process over the tables of a disk, with bounds of its own."""
        place = self.place
        place.settings = self._settings()
        log = PacedLog(place, Pace(self.chance.random()))
        async with place.node(log=log, clock=self.clock, open_store=place.disk(disk)) as node:
            yield node

    async def live(self) -> None:
        """A few processes in turn, of which some end amid their work; all is decided at the end."""
        await self.place.enqueue(*self.drawn.creations())
        for _ in range(self.chance.randint(1, 4)):
            async with self.process(self.chance.choice([HERE, HERE, THERE])) as node:
                await self._work(node)
            self._lose()
        async with self.process(HERE) as node:
            await self.decided(node)
        # What still waits for others is given up as soon as the next process looks.
        self.clock.us += 1_000 * self.place.settings.dependency_timeout_ms
        await self.place.enqueue(*self.drawn.waiting())

    async def _work(self, node: Node) -> None:
        for _ in range(self.chance.randint(1, 3)):
            await self.place.enqueue(*self.drawn.some(self.chance.randint(1, 15)))
            if self.chance.random() < 0.6:
                await self.decided(node)
                await self._disturb(node)

    def _lose(self) -> None:
        """Between two processes a disk may lose some of its tables, and the log what it repeats."""
        chance, place = self.chance, self.place
        for name in list(place.stores):
            if chance.random() < 0.05:
                del place.stores[name]
        topics = place.topics
        for topic in (topics.operations, topics.keyframes, topics.relationships, topics.deferred):
            if chance.random() < 0.2:
                place.cluster.compact(topic, with_tombstones=False)

    async def _disturb(self, node: Node) -> None:
        """What an operator does meanwhile, or what memory forgets."""
        chance, coordinator = self.chance, node.coordinator
        luck = chance.random()
        number = chance.randrange(PARTITIONS)
        partition = live(node, number)
        if luck < 0.2:
            partition.cache.clear()
        elif luck < 0.3:
            coordinator.rebuild("documents")
        elif luck < 0.35:
            coordinator.finish("documents")
        elif luck < 0.4:
            coordinator.rebuild("relationships")
        elif luck < 0.6:
            await self._derive(partition)
        elif luck < 0.7:
            await self._accept(node, partition)

    async def _derive(self, partition: LivePartition) -> None:
        chance, derived = self.chance, partition.derived()
        name = chance.choice(["documents", "relationships"])
        if chance.random() < 0.5:
            since = Offset(chance.randint(0, partition.written.next_offset))
            await derived.replay(name, since, count_max=10)
        elif document_ids := partition.operations.documents_after("", 10):
            await derived.retry(name, chance.choice(document_ids))

    async def _accept(self, node: Node, partition: LivePartition) -> None:
        """What a person does whose model was changed; here nothing was."""
        for document_id in partition.operations.documents_after("", 1):
            await accept(
                partition.tables.write,
                node.registry,
                partition.chores,
                document_id,
                self.clock.now_us,
            )

    async def decided(self, node: Node) -> None:
        """Every job has been decided or waits for others, and reads show what came of it."""
        place = self.place
        for number in range(PARTITIONS):
            end = place.cluster.partition(place.source(place.topics.actions, number)).end
            await live(node, number).consumed.wait(end, 10.0)
            await self._shown(live(node, number))

    async def settled(self, node: Node) -> None:
        """Every job has ended but those that wait for ever, and every table is at the end."""
        await self.decided(node)
        for number in range(PARTITIONS):
            partition = live(node, number)
            await until(partial(_waits_for_ever, partition))
            await self._shown(partition)
            # What was ready once is that for ever: tables that begin anew are behind it.
            end = partition.written.next_offset
            await node.graph.reached(number).wait(end, 10.0)
            for name in BUILT_IN:
                await until(partial(shows, partition, name, end))

    async def _shown(self, partition: LivePartition) -> None:
        await partition.ready.wait(partition.written.next_offset, 10.0)

    def store(self, disk: str, name: str) -> KeptStore:
        """One of the stores of a disk."""
        return self.place.stores[f"{disk}/{name}"]


def rows_of(store: KeptStore) -> Rows:
    """Every row that it holds; positions are none."""
    return dict(store.scan(b"", _EVERYTHING))


async def tidied(life: Life, disk: str) -> None:
    """Wait until nothing of what was erased is still to be taken out of the disk's files."""
    stores = [store for name, store in life.place.stores.items() if name.startswith(f"{disk}/")]
    await until(lambda: not any(list(store.keys(*_REMAINS)) for store in stores))


def differing(one: Rows, other: Rows) -> dict[bytes, tuple[bytes | None, bytes | None]]:
    """The rows that are not the same."""
    return {
        key: (one.get(key), other.get(key))
        for key in sorted({*one, *other})
        if one.get(key) != other.get(key)
    }


def _waits_for_ever(partition: LivePartition) -> bool:
    return all(one.job.document_id == NEVER for one in partition.deferred.every())


def shows(partition: LivePartition, name: str, next_offset: int) -> bool:
    """Whether a read model answers, and is so far."""
    try:
        return partition.serving(name, None).reached.next_offset >= next_offset
    except RestoringError:
        return False
