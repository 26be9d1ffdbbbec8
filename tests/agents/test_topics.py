"""Topics are created once, compared whole, and carry one log id."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from docreactor.agents.log import Entry, Log, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.agents.topics import LOG_ID_KEY, check_topics, create_topics, describe_topics
from docreactor.pipeline.errors import LogIdMissingError, TopicsDifferError, TopicsMissingError
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import TopicDeclaration, declarations
from tests.agents.log.following import read
from tests.support.kafka import Kafka

SETTINGS = Settings(app="a", partitions=2)
POSITIONS = TopicPartition("a.positions", 0)


async def ids(log: Log) -> list[bytes | None]:
    records, _ = await read(log, POSITIONS)
    return [record.value for record in records if record.key == LOG_ID_KEY]


async def test_created_topics_are_as_declared_and_carry_a_log_id() -> None:
    log = MemoryLog(MemoryCluster(broker_count=3), SETTINGS)

    created = await create_topics(log, SETTINGS)

    assert created == [each.name for each in declarations(SETTINGS)]
    assert await describe_topics(log, SETTINGS) == list(declarations(SETTINGS))
    log_id = await check_topics(log, SETTINGS)
    assert re.fullmatch("[0-9a-f]{32}", log_id)
    assert await ids(log) == [log_id.encode()]


async def test_creating_again_creates_nothing_and_keeps_the_log_id() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    await create_topics(log, SETTINGS)
    log_id = await check_topics(log, SETTINGS)

    assert await create_topics(log, SETTINGS) == []
    assert await check_topics(log, SETTINGS) == log_id
    assert len(await ids(log)) == 1


async def test_processes_that_create_at_the_same_time_agree_on_one_log_id() -> None:
    cluster = MemoryCluster()

    async def turn(step: str) -> None:
        for _ in range(len(step)):
            await asyncio.sleep(0)

    logs = [MemoryLog(cluster, SETTINGS, turn) for _ in range(5)]
    await asyncio.gather(*(create_topics(log, SETTINGS) for log in logs))

    assert len({await check_topics(log, SETTINGS) for log in logs}) == 1
    assert len(await ids(logs[0])) == 1


async def test_a_creator_that_died_before_the_log_id_is_made_up_for() -> None:
    cluster = MemoryCluster()

    async def die(step: str) -> None:
        if step in ("sent", "abort"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await create_topics(MemoryLog(cluster, SETTINGS, die), SETTINGS)
    log = MemoryLog(cluster, SETTINGS)
    with pytest.raises(LogIdMissingError, match=r"a\.positions.*topics create"):
        await check_topics(log, SETTINGS)

    assert await create_topics(log, SETTINGS) == []
    assert [(await check_topics(log, SETTINGS)).encode()] == await ids(log)


async def test_the_first_log_id_counts() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    await create_topics(log, SETTINGS)
    log_id = await check_topics(log, SETTINGS)
    writer = await log.writer()
    await writer.append(POSITIONS, [Entry(LOG_ID_KEY, b"f" * 32), Entry(b"other", b"{}")])

    assert await check_topics(log, SETTINGS) == log_id


async def test_missing_topics_are_named_together() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    await log.create([each for each in declarations(SETTINGS) if "actions" not in each.name][1:])

    with pytest.raises(TopicsMissingError) as missing:
        await check_topics(log, SETTINGS)
    assert missing.value.facts["names"] == ["a.actions", "a.operations"]


async def test_every_difference_is_named() -> None:
    log = MemoryLog(MemoryCluster(broker_count=3), SETTINGS)
    actions, *others = declarations(SETTINGS)
    wrong = {**actions.config, "retention.ms": "5", "min.insync.replicas": "1"}
    await log.create([TopicDeclaration(actions.name, 3, wrong), *others])

    with pytest.raises(TopicsDifferError) as different:
        await check_topics(log, SETTINGS)

    assert sorted(different.value.facts["differences"]) == [
        "a.actions has 3 partitions, not 2",
        "a.actions has min.insync.replicas 1, not 2",
        f"a.actions has retention.ms 5, not {actions.config['retention.ms']}",
    ]


async def test_the_order_of_cleanup_policies_is_no_difference() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    await log.create(
        [
            replace(each, config={**each.config, "cleanup.policy": "delete,compact"})
            for each in declarations(SETTINGS)
            if each.config["cleanup.policy"] == "compact,delete"
        ]
    )
    await create_topics(log, SETTINGS)

    assert await check_topics(log, SETTINGS)


async def test_a_single_broker_is_asked_for_one_copy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = MemoryLog(MemoryCluster(broker_count=1), SETTINGS)
    await create_topics(log, SETTINGS)

    found = await describe_topics(log, SETTINGS)

    assert {each.config["min.insync.replicas"] for each in found} == {"1"}
    assert "fewer brokers" in capsys.readouterr().out


async def test_a_cluster_of_which_one_broker_is_left_is_still_as_declared() -> None:
    cluster = MemoryCluster(broker_count=3)
    log = MemoryLog(cluster, SETTINGS)
    await create_topics(log, SETTINGS)
    cluster.broker_count = 1

    assert await check_topics(log, SETTINGS)


async def test_topics_on_a_real_kafka_are_as_declared(kafka: Kafka, app: str) -> None:
    settings = Settings(app=app, partitions=2)
    servers = kafka.bootstrap_servers
    async with (
        open_kafka(settings, servers, wait_s=10) as log,
        open_kafka(settings, servers, wait_s=10) as other,
    ):
        created = await asyncio.gather(create_topics(log, settings), create_topics(other, settings))
        log_ids = await asyncio.gather(check_topics(log, settings), check_topics(other, settings))

        assert sorted(created[0] + created[1]) == sorted(
            each.name for each in declarations(settings)
        )
        assert log_ids[0] == log_ids[1]
        with pytest.raises(TopicsDifferError, match=r"actions has 2 partitions, not 3"):
            await check_topics(log, settings.model_copy(update={"partitions": 3}))
