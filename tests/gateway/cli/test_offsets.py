"""Commands of the group's offsets, on the real broker."""

from __future__ import annotations

import pytest

from tests.gateway.cli.running import Said, say
from tests.support.kafka import Kafka

pytestmark = pytest.mark.kafka


async def run(kafka: Kafka, *arguments: str) -> Said:
    broker = {"DOCREACTOR_BROKER": kafka.bootstrap_servers, "DOCREACTOR_PARTITIONS": "2"}
    return await say(*arguments, **broker)


async def test_offsets_are_shown_and_set_by_hand(kafka: Kafka, app: str) -> None:
    missing = await run(kafka, "offsets", "show", "--app", app)
    await run(kafka, "topics", "create", "--app", app)
    before = await run(kafka, "offsets", "show", "--app", app, "--json")
    moved = await run(kafka, "offsets", "set", "--app", app, "--partition", "1", "--to", "0")
    after = await run(kafka, "offsets", "show", "--app", app, "--json")
    shown = await run(kafka, "offsets", "show", "--app", app)
    beyond = await run(kafka, "offsets", "set", "--app", app, "--partition", "1", "--to", "9")

    assert missing.err.splitlines()[-1].startswith("TopicsMissing: ")
    assert [row["committed"] for row in before.json] == [None, None]
    assert moved.code == 0
    assert [row["committed"] for row in after.json] == [None, 0]
    assert after.json[1] == {"partition": 1, "committed": 0, "start": 0, "end": 0, "lag": 0}
    assert "COMMITTED" in shown.out
    assert beyond.code == 1
    assert beyond.err.splitlines()[-1].startswith("InvalidInput: to: ")
