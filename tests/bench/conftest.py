"""A stage on the Kafka of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from docreactor.bench.stage import Stage, open_stage
from docreactor.gateway.broker.progress import silent
from tests.support.kafka import Kafka

PARTITIONS = 2


@pytest_asyncio.fixture
async def stage(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    monkeypatch.setenv("DOCREACTOR_BROKER", kafka.bootstrap_servers)
    async with open_stage(partitions=PARTITIONS, directory=tmp_path, progress=silent) as stage:
        yield stage
