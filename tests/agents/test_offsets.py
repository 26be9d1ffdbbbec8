"""The group's offsets are shown beside the log's, and set only where that can be right."""

from __future__ import annotations

import pytest

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.agents.offsets import PartitionOffsets, set_offset, show_offsets
from docreactor.agents.topics import create_topics
from docreactor.pipeline.errors import GroupHasMembersError, InvalidInputError, TopicsMissingError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from tests.agents.log.following import Following
from tests.support.kafka import Kafka

SETTINGS = Settings(app="a", partitions=2)
ACTIONS = TopicPartition("a.actions", 1)


async def filled(cluster: MemoryCluster) -> MemoryLog:
    """A log with ten actions in partition 1, the first three of them deleted."""
    log = MemoryLog(cluster, SETTINGS)
    await create_topics(log, SETTINGS)
    await (await log.writer()).append(ACTIONS, [Entry(b"k", b"v")] * 10)
    cluster.truncate(ACTIONS, before=Offset(3))
    return log


async def test_offsets_are_shown_for_every_partition() -> None:
    log = await filled(MemoryCluster())
    await log.commit({ACTIONS: Offset(6)})

    shown = await show_offsets(log, SETTINGS)

    assert shown == [
        PartitionOffsets(0, None, Offset(0), Offset(0)),
        PartitionOffsets(1, Offset(6), Offset(3), Offset(10)),
    ]
    assert [each.lag for each in shown] == [0, 4]


async def test_without_a_committed_offset_all_of_the_log_is_lag() -> None:
    log = await filled(MemoryCluster())

    assert [each.lag for each in await show_offsets(log, SETTINGS)] == [0, 7]


@pytest.mark.parametrize("to", [3, 10])
async def test_an_offset_is_set_within_what_the_log_holds(to: int) -> None:
    log = await filled(MemoryCluster())

    await set_offset(log, SETTINGS, partition=1, to=to)

    assert await log.committed(ACTIONS) == to


@pytest.mark.parametrize("to", [2, 11])
async def test_an_offset_that_the_log_does_not_hold_is_refused(to: int) -> None:
    log = await filled(MemoryCluster())
    with pytest.raises(InvalidInputError, match="from 3 to 10"):
        await set_offset(log, SETTINGS, partition=1, to=to)

    assert await log.committed(ACTIONS) is None


@pytest.mark.parametrize("partition", [-1, 2])
async def test_a_partition_that_does_not_exist_is_refused(partition: int) -> None:
    log = await filled(MemoryCluster())
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        await set_offset(log, SETTINGS, partition=partition, to=0)


async def test_an_offset_is_not_set_while_a_worker_runs() -> None:
    log = await filled(MemoryCluster())
    member = await log.member([ACTIONS.topic], Following())
    with pytest.raises(GroupHasMembersError, match="stop every worker"):
        await set_offset(log, SETTINGS, partition=1, to=5)
    await member.close()

    await set_offset(log, SETTINGS, partition=1, to=5)

    assert await log.committed(ACTIONS) == 5


async def test_offsets_of_a_missing_topic_name_it() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    with pytest.raises(TopicsMissingError, match=r"a\.actions"):
        await show_offsets(log, SETTINGS)


async def test_offsets_are_shown_and_set_on_a_real_kafka(kafka: Kafka, app: str) -> None:
    settings = Settings(app=app, partitions=2)
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        await create_topics(log, settings)
        writer = await log.writer()
        await writer.append(TopicPartition(f"{app}.actions", 0), [Entry(b"k", b"v")] * 3)

        await set_offset(log, settings, partition=0, to=2)

        shown = await show_offsets(log, settings)
        assert shown[0] == PartitionOffsets(0, Offset(2), Offset(0), Offset(3))
        assert shown[1].committed is None
        await writer.close()
