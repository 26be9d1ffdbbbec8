"""A partition learns of every job that ended, before or after it was watched, wherever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from docreactor.agents.dependencies import Dependencies
from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import declarations
from docreactor.tables.jobs import JobsTable
from docreactor.tables.memory import MemoryStore
from tests.support.nodes import until

TOPIC = "test.jobs"
HERE = TopicPartition(TOPIC, 0)
SKEW_MS = 1_000


@dataclass
class Scene:
    """A cluster whose clock is the test's, and one partition that looks for results."""

    now_ms: int = 1_800_000_000_000
    heard: list[str] = field(default_factory=list[str])
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        settings = Settings(app="test", partitions=4)
        self.cluster = MemoryCluster(clock_ms=lambda: self.now_ms)
        for declared in declarations(settings):
            self.cluster.create(declared)
        self.log = MemoryLog(self.cluster, settings)
        self.minter = IdMinter(lambda: self.now_ms, lambda bits: 1)
        self.jobs = JobsTable(self.store)
        self.dependencies = Dependencies(
            self.log,
            HERE,
            self.jobs,
            partition_count=4,
            skew_ms=SKEW_MS,
            ended=self.heard.append,
        )

    def mint(self, partition: int) -> str:
        return f"{self.minter.mint()}-{partition}"

    async def end(self, job_id: str) -> None:
        """Put a result on the log, as the job's partition does."""
        writer = await self.log.writer()
        partition = int(job_id.rpartition("-")[2])
        await writer.append(TopicPartition(TOPIC, partition), [Entry(job_id.encode(), b"{}")])

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Dependencies]:
        task = asyncio.create_task(self.dependencies.run())
        try:
            yield self.dependencies
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def hears(self, *job_ids: str) -> None:
        await until(lambda: set(job_ids) <= set(self.heard))


async def test_a_job_of_another_partition_that_ends_later_is_told() -> None:
    scene = Scene()
    job_id = scene.mint(1)
    async with scene.looking() as dependencies:
        dependencies.watch([job_id])
        assert not dependencies.has_ended(job_id)
        await scene.end(scene.mint(1))
        await scene.end(job_id)
        await scene.hears(job_id)
        assert dependencies.has_ended(job_id)
    assert scene.heard == [job_id]


async def test_a_job_that_had_ended_before_it_was_watched_is_told() -> None:
    scene = Scene()
    job_id = scene.mint(2)
    scene.now_ms -= SKEW_MS  # the clock of the one that decided it is behind
    await scene.end(job_id)
    scene.now_ms += 60_000
    await scene.end(scene.mint(2))
    scene.dependencies.watch([job_id])
    async with scene.looking():
        await scene.hears(job_id)


async def test_what_is_older_than_a_job_is_not_read_for_it() -> None:
    scene = Scene()
    for _ in range(3):
        await scene.end(scene.mint(1))
    scene.now_ms += 60_000
    job_id = scene.mint(1)

    since = await scene.log.offsets_since({TopicPartition(TOPIC, 1): scene.now_ms - SKEW_MS})
    assert since == {TopicPartition(TOPIC, 1): 3}
    scene.cluster.truncate(TopicPartition(TOPIC, 1), before=since[TopicPartition(TOPIC, 1)])
    await scene.end(job_id)
    scene.dependencies.watch([job_id])
    async with scene.looking():
        await scene.hears(job_id)


async def test_jobs_added_while_others_are_looked_for_are_found_too() -> None:
    scene = Scene()
    early = scene.mint(1)
    await scene.end(early)
    scene.now_ms += 600_000
    waited, elsewhere = scene.mint(1), scene.mint(3)
    await scene.end(elsewhere)
    async with scene.looking() as dependencies:
        dependencies.watch([waited])
        await scene.end(scene.mint(1))
        await until(lambda: dependencies.watched == 1)
        dependencies.watch([early])  # of a partition that is read, from further back
        await scene.hears(early)
        dependencies.watch([elsewhere])  # of a partition that is not read
        await scene.hears(elsewhere)
        await scene.end(waited)
        await scene.hears(waited)
    assert dependencies.watched == 0


async def test_an_id_without_a_time_is_looked_for_from_the_logs_start() -> None:
    scene = Scene()
    await scene.end("j7-1")
    scene.dependencies.watch(["j7-1"])
    async with scene.looking():
        await scene.hears("j7-1")


async def test_a_job_of_the_own_partition_is_asked_of_the_table() -> None:
    scene = Scene()
    job_id = scene.mint(0)
    scene.dependencies.watch([job_id])
    assert scene.dependencies.watched == 0
    assert not scene.dependencies.has_ended(job_id)
    scene.store.write([scene.jobs.row(job_id.encode(), b"{}")], {}, now_ms=1)
    assert scene.dependencies.has_ended(job_id)


async def test_what_nobody_can_have_decided_never_ends() -> None:
    scene = Scene()
    nobodies = ["nobody", "j1-99", "j1-x"]
    scene.dependencies.watch(nobodies)
    assert scene.dependencies.watched == 0
    assert not any(map(scene.dependencies.has_ended, nobodies))


async def test_what_is_forgotten_is_not_looked_for() -> None:
    scene = Scene()
    kept, dropped = scene.mint(1), scene.mint(1)
    scene.dependencies.watch([kept, dropped])
    scene.dependencies.forget([dropped])
    async with scene.looking():
        await scene.end(dropped)
        await scene.end(kept)
        await scene.hears(kept)
    assert scene.heard == [kept]


async def test_a_result_that_compaction_removed_from_the_start_does_not_end_the_search() -> None:
    scene = Scene()
    source = TopicPartition(TOPIC, 1)
    job_id = scene.mint(1)
    await scene.end(scene.mint(1))
    scene.dependencies.watch([job_id])
    async with scene.looking():
        await scene.end(scene.mint(1))
        scene.cluster.truncate(source, before=(await scene.log.end_offsets([source]))[source])
        await scene.end(job_id)
        await scene.hears(job_id)
