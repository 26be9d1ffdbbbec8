"""Commands of a deployment's topics, on the real broker."""

from __future__ import annotations

import pytest

from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import declarations
from tests.gateway.cli.running import Said, say
from tests.support.kafka import Kafka

pytestmark = pytest.mark.kafka


async def topics(kafka: Kafka, *arguments: str, **environment: str) -> Said:
    broker = {"DOCREACTOR_BROKER": kafka.bootstrap_servers, "DOCREACTOR_PARTITIONS": "2"}
    return await say("topics", *arguments, **(broker | environment))


async def test_topics_are_missing_then_created_then_as_declared(kafka: Kafka, app: str) -> None:
    missing = await topics(kafka, "check", "--app", app)
    created = await topics(kafka, "create", "--app", app, "--json")
    again = await topics(kafka, "create", "--app", app)
    checked = await topics(kafka, "check", "--app", app, "--json")
    described = await topics(kafka, "describe", "--app", app, "--json")
    differ = await topics(kafka, "check", "--app", app, DOCREACTOR_PARTITIONS="3")

    names = {topic.name for topic in declarations(Settings(app=app))}
    assert missing.code == 1
    assert missing.err.splitlines()[-1].startswith("TopicsMissing: ")
    assert set(created.json["created"]) == names
    assert "nothing: all topics were there" in again.out
    assert len(checked.json["log_id"]) == 32
    assert {row["name"] for row in described.json} == names
    assert {row["partitions"] for row in described.json} == {1, 2}
    assert differ.code == 1
    told = differ.err.splitlines()[-1]
    assert told.startswith("TopicsDiffer: ")
    assert f"{app}.actions has 2 partitions, not 3" in told
