"""Questions to the Kafka of a deployment."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.gateway.cli.running import say


def test_without_a_kafka_it_says_so_and_starts_none(tmp_path: Path) -> None:
    said = asyncio.run(say("topics", "check", DOCREACTOR_DATA=str(tmp_path)))

    assert said.code == 1
    assert said.err.startswith("BrokerUnreachable: no Kafka answers at the development broker")
    assert said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
