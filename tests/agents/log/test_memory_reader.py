"""Members in memory are told from inside their own fetch."""

from __future__ import annotations

import pytest

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import create
from tests.agents.log.following import drive, following

SETTINGS = Settings(app="a")


async def test_a_member_that_does_not_fetch_holds_up_its_group() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    topic = (await create(log, "a", 2)).topic
    async with following(log, [topic]) as one:
        await drive([one], lambda: len(one.sources) == 2)
        async with following(log, [topic]) as two:
            await two.member.fetch(count_max=1, timeout_ms=1)
            assert not two.sources
            await one.member.fetch(count_max=1, timeout_ms=1)
            await two.member.fetch(count_max=1, timeout_ms=1)
            assert len(two.sources) == 1


async def test_the_members_of_a_crashed_process_leave() -> None:
    cluster = MemoryCluster()
    crashing, surviving = MemoryLog(cluster, SETTINGS), MemoryLog(cluster, SETTINGS)
    topic = (await create(crashing, "a", 2)).topic
    async with following(crashing, [topic]) as one, following(surviving, [topic]) as two:
        await drive([one, two], lambda: len(one.sources) == len(two.sources) == 1)
        await crashing.crash()
        await drive([two], lambda: len(two.sources) == 2)
        with pytest.raises(LogError):
            await one.member.fetch(count_max=1, timeout_ms=1)


async def test_a_closed_reader_is_to_be_opened_again() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    to = await create(log, "a")
    reader = await log.reader({to: Offset(0)})
    await reader.close()
    with pytest.raises(LogError, match="open another"):
        await reader.fetch(count_max=1, timeout_ms=1)


async def test_a_reader_of_nothing_that_exists_says_so() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    reader = await log.reader({TopicPartition("missing", 0): Offset(0)})
    with pytest.raises(LogError, match="missing-0"):
        await reader.fetch(count_max=1, timeout_ms=1)


async def test_what_one_partition_fills_leaves_the_others_for_the_next_fetch() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    topic = (await create(log, "a", 2)).topic
    sources = [TopicPartition(topic, number) for number in range(2)]
    writer = await log.writer()
    for source in sources:
        await writer.append(source, [Entry(b"k", b"1"), Entry(b"k", b"2")])
    reader = await log.reader(dict.fromkeys(sources, Offset(0)))

    fetched = [await reader.fetch(count_max=2, timeout_ms=1) for _ in range(2)]

    assert [len(one.records) for batch in fetched for one in batch.values()] == [2, 2]
    assert {source for batch in fetched for source in batch} == set(sources)
