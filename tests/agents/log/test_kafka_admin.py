"""Topics and groups as a real Kafka tells of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from docreactor.agents.log import Log, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import TopicDeclaration
from tests.support.kafka import Kafka


@pytest.fixture
async def log(kafka: Kafka, app: str) -> AsyncGenerator[Log, None]:
    settings = Settings(app=app, broker_timeout_ms=1_000)
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        yield log


async def test_asking_for_a_topic_does_not_create_it(log: Log, app: str) -> None:
    assert await log.describe([f"{app}.a"]) == []
    assert await log.describe([f"{app}.a"]) == []


async def test_a_configuration_that_kafka_refuses_is_named(log: Log, app: str) -> None:
    with pytest.raises(LogError, match=rf"topic {app}\.a could not be created: .*retention"):
        await log.create([TopicDeclaration(f"{app}.a", 1, {"retention.ms": "soon"})])


async def test_offsets_of_a_missing_topic_fail_in_bounded_time(log: Log, app: str) -> None:
    missing = TopicPartition(f"{app}.missing", 0)
    with pytest.raises(LogError, match="asking for end offsets took too long"):
        await log.end_offsets([missing])

    assert await log.committed(missing) is None


async def test_a_group_that_never_was_takes_offsets(log: Log, app: str) -> None:
    source = TopicPartition(f"{app}.a", 1)
    await log.create([TopicDeclaration(source.topic, 2, {})])

    await log.commit({source: Offset(0)})

    assert await log.committed(source) == 0
    assert await log.committed(TopicPartition(source.topic, 0)) is None
