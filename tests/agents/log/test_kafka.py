"""The log's contract on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from docreactor.agents.log import Log
from docreactor.agents.log.kafka import open_kafka
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import LogContract, OpenLog
from tests.support.kafka import Kafka


class TestKafkaLog(LogContract):
    @pytest.fixture
    async def open_log(self, kafka: Kafka, app: str) -> AsyncGenerator[OpenLog, None]:
        settings = Settings(
            app=app, replication_factor=1, min_insync_replicas=1, session_timeout_ms=2_000
        )
        async with AsyncExitStack() as logs:

            async def opened() -> Log:
                log = open_kafka(settings, kafka.bootstrap_servers, wait_s=10)
                return await logs.enter_async_context(log)

            yield opened
