"""A cluster in memory is the same for every run."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.agents.log import Entry, Isolation, TopicPartition
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.pipeline.errors import LogError, RecordRefusedError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.topics import TopicDeclaration

TO = TopicPartition("a", 0)


def cluster_with_a_topic(**config: str) -> MemoryCluster:
    cluster = MemoryCluster()
    settings = {key.replace("_", "."): value for key, value in config.items()}
    cluster.create(TopicDeclaration("a", 1, settings))
    return cluster


def test_what_was_not_created_is_not_there() -> None:
    with pytest.raises(LogError, match="there is no a-1"):
        cluster_with_a_topic().partition(TopicPartition("a", 1))


def test_nothing_of_a_write_stands_when_one_record_is_refused() -> None:
    cluster = cluster_with_a_topic(max_message_bytes="1000")
    cluster.create(TopicDeclaration("b", 1, {}))
    appends = {TopicPartition("b", 0): [Entry(b"k", b"v")], TO: [Entry(b"k", bytes(1000))]}
    with pytest.raises(RecordRefusedError, match="a-0 refused"):
        cluster.append(appends, None)

    assert cluster.partition(TopicPartition("b", 0)).end == 0


def test_the_clock_ticks_once_for_every_write() -> None:
    cluster = cluster_with_a_topic()
    for _ in range(2):
        cluster.append({TO: [Entry(b"k", b"v")] * 2}, None)

    records, _ = cluster.partition(TO).read(Offset(0), count_max=9, isolation=Isolation.COMMITTED)
    assert [record.timestamp for record in records] == [0, 0, 1, 1]


def test_the_clock_can_be_another() -> None:
    cluster = MemoryCluster(clock_ms=lambda: 42)
    cluster.create(TopicDeclaration("a", 1, {}))
    cluster.append({TO: [Entry(b"k", b"v")]}, None)

    records, _ = cluster.partition(TO).read(Offset(0), count_max=9, isolation=Isolation.COMMITTED)
    assert records[0].timestamp == 42


async def test_a_change_wakes_all_who_wait() -> None:
    cluster = cluster_with_a_topic()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(cluster.change(timeout_s=60))
        await asyncio.sleep(0)
        cluster.append({TO: [Entry(b"k", b"v")]}, None)


def test_compaction_and_deletion_reach_the_partitions() -> None:
    cluster = cluster_with_a_topic()
    cluster.append({TO: [Entry(b"k", b"1"), Entry(b"k", b"2"), Entry(b"k", None)]}, None)
    cluster.compact("a", with_tombstones=True)
    cluster.truncate(TO, before=Offset(1))

    partition = cluster.partition(TO)
    read = partition.read(Offset(1), count_max=9, isolation=Isolation.COMMITTED)
    assert read == ([], 3)
    assert partition.start == 1


@pytest.mark.parametrize("is_leaderless", [True, False])
def test_without_a_leader_a_partition_gets_no_marker(is_leaderless: bool) -> None:
    cluster = cluster_with_a_topic()
    session = cluster.open("one")
    cluster.begin(session)
    cluster.append({TO: [Entry(b"k", b"v")]}, session)
    cluster.leaderless = {TO} if is_leaderless else set()
    cluster.abort(session)

    assert cluster.partition(TO).visible_end(Isolation.COMMITTED) == (0 if is_leaderless else 2)
