"""What workers go through in the crash tests, and what must be true afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from docreactor.agents.log import Isolation, Log, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import create_topics
from docreactor.pipeline.settings import Settings
from tests.support.history import PARTITIONS, aborted_count, read_history
from tests.support.load import Load, has_open_transaction
from tests.support.workers import WorkerProcess, positions

_LIMIT_S = 120.0
_AHEAD = 400
SESSION_MS = "2000"


@dataclass(frozen=True, slots=True)
class Ordeal:
    """One deployment under test: its log, its load and its workers."""

    broker: str
    app: str
    log: Log
    load: Load
    directory: Path

    def worker(self, name: str) -> WorkerProcess:
        """A worker with a data directory of its own, not yet started."""
        environment = {"DOCREACTOR_SESSION_TIMEOUT_MS": SESSION_MS}
        return WorkerProcess(self.app, self.broker, self.directory / name, environment)

    async def written(self) -> int:
        """How far the operations topic is, over all partitions."""
        return await self._sum("operations")

    async def _sum(self, topic: str) -> int:
        sources = [TopicPartition(f"{self.app}.{topic}", one) for one in range(PARTITIONS)]
        return sum((await self.log.end_offsets(sources, Isolation.COMMITTED)).values())

    async def until_written(self, offset: int) -> None:
        """Wait until the operations topic is past this sum of offsets."""

        async def is_past() -> bool:
            return await self.written() >= offset

        await until(is_past)

    async def consumed(self) -> int:
        """How many jobs have been decided."""
        sources = [TopicPartition(f"{self.app}.actions", one) for one in range(PARTITIONS)]
        return sum([await self.log.committed(one) or 0 for one in sources])

    async def feed(self, count: int) -> None:
        """Send so many entries, always a little ahead of the workers: they never lack work."""
        while self.load.sent < count:
            self.load.add(min(_AHEAD, count - self.load.sent))
            await self.load.send(self.log)

            async def is_near() -> bool:
                return await self.consumed() >= self.load.sent - _AHEAD

            await until(is_near)

    async def until_sent(self, count: int) -> None:
        """Wait until `feed` has come that far."""

        async def is_sent() -> bool:
            return self.load.sent >= count

        await until(is_sent)

    async def until_in_transaction(self) -> None:
        """Wait until some transaction is open that has written operations."""

        async def is_open() -> bool:
            return await has_open_transaction(self.log, self.app)

        await until(is_open)

    async def until_done(self, url: str) -> None:
        """Wait until every action was consumed and the documents tables show all operations."""
        actions = [TopicPartition(f"{self.app}.actions", one) for one in range(PARTITIONS)]

        async def is_done() -> bool:
            ends = await self.log.end_offsets(actions)
            for source in actions:
                if (await self.log.committed(source) or 0) < ends[source]:
                    return False
            rows = await positions(url)
            views = {row["partition"]: row for row in rows if row["kind"] == "view"}
            sources = [TopicPartition(f"{self.app}.operations", one) for one in range(PARTITIONS)]
            seen = await self.log.end_offsets(sources, Isolation.COMMITTED)
            # A commit is answered before its markers are written; until then it is not seen.
            if seen != await self.log.end_offsets(sources, Isolation.UNCOMMITTED):
                return False
            return len(views) == PARTITIONS and all(
                (views[source.partition]["next_offset"] or 0) >= seen[source] for source in sources
            )

        await until(is_done)

    async def judge(self, url: str) -> int:
        """Assert what was promised; returns how many aborted operations lie on the log."""
        history = await read_history(self.broker, self.app)
        faults = history.faults(self.load.expected)
        assert not faults, "\n".join(faults[:10])
        assert history.count == sum(len(ids) for ids in self.load.expected.values())
        assert await self.load.wrong_documents(url) == []
        return await aborted_count(self.broker, self.app)


@asynccontextmanager
async def ordeal(
    broker: str, app: str, directory: Path, *, documents: int, seed: int
) -> AsyncIterator[Ordeal]:
    """Topics, and a load whose documents are created but not yet sent."""
    settings = Settings(app=app, partitions=PARTITIONS, broker=broker)
    async with open_kafka(settings, broker, wait_s=15.0) as log:
        await create_topics(log, settings)
        yield Ordeal(broker, app, log, Load(app, documents=documents, seed=seed), directory)


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float = _LIMIT_S) -> None:
    """Wait for a condition that nobody announces; TimeoutError when it does not come."""
    async with asyncio.timeout(limit_s):
        while not await condition():  # noqa: ASYNC110  a broker tells nobody
            await asyncio.sleep(0.005)
