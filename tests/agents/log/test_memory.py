"""The log's contract in memory."""

from __future__ import annotations

import pytest

from docreactor.agents.log import Log
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import LogContract, OpenLog


class TestMemoryLog(LogContract):
    @pytest.fixture
    def open_log(self, app: str) -> OpenLog:
        cluster = MemoryCluster()

        async def opened() -> Log:
            return MemoryLog(cluster, Settings(app=app))

        return opened
