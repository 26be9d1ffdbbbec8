"""One deployment on this machine: its topics, its workers, and when they are ready."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import create_topics
from docreactor.gateway.announcement import Announcement
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.supervisor import Keeper, supervised
from docreactor.gateway.worker_process import WorkerPlan
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.settings import Settings

WORKER = (sys.executable, "-P", "-c", "from docreactor.gateway.cli import main; main()", "worker")
BROKER_WAIT_S = 15.0
# Of a broker that is there, this is plenty; of one that is not, a dead worker need not wait more.
ANSWER_WAIT_S = 2.0
READY_POLL_S = 0.05
RESTORING, RUNNING = "RESTORING", "RUNNING"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What `up` brings up, on a Kafka that is there."""

    settings: Settings
    models: tuple[str, ...]
    worker_count: int
    bootstrap_servers: str

    @asynccontextmanager
    async def running(self, progress: Progress) -> AsyncGenerator[Announcement]:
        """Keep the workers alive while the block runs; it begins when all of them serve."""
        progress(Step("Creating topics"))
        await self._create_topics()
        count = self.worker_count
        progress(Step("Starting the worker" if count == 1 else f"Starting {count} workers"))
        async with supervised(self.plans(), self.broker_answers) as keepers:
            await all_serving(keepers, self.settings, progress)
            workers = [await keeper.announced for keeper in keepers]
            yield Announcement(
                url=workers[0].url,
                urls=tuple(worker.url for worker in workers),
                app=self.settings.app,
                data=str(self.settings.data.absolute()),
                broker=self.bootstrap_servers,
                pids=tuple(pid for worker in workers for pid in worker.pids),
            )

    async def _create_topics(self) -> None:
        async with open_kafka(self.settings, self.bootstrap_servers, wait_s=BROKER_WAIT_S) as log:
            await create_topics(log, self.settings)

    async def broker_answers(self) -> bool:
        """Whether Kafka says anything: one that is frozen takes connections and says nothing."""
        try:
            async with open_kafka(self.settings, self.bootstrap_servers, wait_s=ANSWER_WAIT_S):
                return True
        except LogError:
            return False

    def plans(self) -> list[WorkerPlan]:
        """What each worker is started with: a directory, a log and an address of its own."""
        return [self._plan(number) for number in range(1, self.worker_count + 1)]

    def _plan(self, number: int) -> WorkerPlan:
        settings = self.settings
        data = settings.data.absolute()
        options = [f"--app={settings.app}", f"--data={data / f'worker-{number}'}"]
        options += [f"--host={settings.host}", "--json", "--supervised"]
        options += [f"--models={model}" for model in self.models]
        options += ["--check-purity"] if settings.check_purity else []
        return WorkerPlan(
            number=number,
            command=(*WORKER, *options),
            environment=self._environment(number),
            port=settings.port if number == 1 else 0,
            log=data / "logs" / f"{settings.app}-worker-{number}.log",
        )

    def _environment(self, number: int) -> dict[str, str]:
        environment = {**os.environ, "DOCREACTOR_BROKER": self.bootstrap_servers}
        # An address and a member's id are one process's own.
        if number > 1:
            environment.pop("DOCREACTOR_ADVERTISED_URL", None)
        if self.settings.member_id is not None:
            environment["DOCREACTOR_MEMBER_ID"] = f"{self.settings.member_id}-{number}"
        return environment


async def all_serving(keepers: Sequence[Keeper], settings: Settings, progress: Progress) -> None:
    """Wait until every node is ready at one time: the last to join moves partitions of others."""
    token = settings.http_token
    headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
    async with httpx.AsyncClient(headers=headers) as client:
        while True:
            urls = [keeper.url for keeper in keepers if keeper.url is not None]
            announced = all(keeper.announced.done() for keeper in keepers)
            if announced and await _all_ready(client, urls):
                return
            if urls:
                await _tell(client, urls[0], progress)
            await asyncio.sleep(READY_POLL_S)


async def _all_ready(client: httpx.AsyncClient, urls: Sequence[str]) -> bool:
    replies = [await _get(client, f"{url}/readyz") for url in urls]
    return all(reply is not None and reply.is_success for reply in replies)


async def _tell(client: httpx.AsyncClient, url: str, progress: Progress) -> None:
    """Say how far the tables are, once a node can tell."""
    reply = await _get(client, f"{url}/v1/positions")
    if reply is None or not reply.is_success:
        return
    rows = [row for row in reply.json()["positions"] if row["kind"] == "reducer"]
    if any(row["state"] == RESTORING for row in rows):
        done = sum(100 if row["state"] == RUNNING else int(100 * row["progress"]) for row in rows)
        progress(Step("Restoring tables", done, 100 * len(rows)))


async def _get(client: httpx.AsyncClient, url: str) -> httpx.Response | None:
    try:
        return await client.get(url)
    except httpx.TransportError:
        return None
