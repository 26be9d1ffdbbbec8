"""Deployments that send each other what they were told show the same in the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import create_topics
from docreactor.gateway.answers import Job, Operation
from docreactor.gateway.client import Reactor
from docreactor.gateway.requests import ActionRequest
from docreactor.pipeline.errors import DocumentDeletedError, ReactorError
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds, render
from tests.support.drawn import draw
from tests.support.kafka import Kafka
from tests.support.seeds import Seeds
from tests.support.workers import WorkerProcess

NAMES = ("ada", "bea", "cyd")
SCOPES = ("document", "global", "local")
MODEL = Path(__file__).parents[1] / "support" / "words.py"
REFUSALS = {
    "DocumentDeleted",
    "NothingToRedo",
    "NothingToUndo",
    "UpgradePreconditionFailed",
}
"""Why a mutation may fail here: what its document is, not what it asks for."""
_BEGIN_US = 1_700_000_000_000_000
_PAGE = 1_000
_ROUNDS_MAX = 20


@pytest.fixture(scope="module")
def urls(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Three deployments on one Kafka, each with topics and a worker of its own."""
    run, broker = uuid4().hex[:8], kafka.bootstrap_servers
    directory = tmp_path_factory.mktemp("replicas")
    environment = {"DOCREACTOR_PARTITIONS": "2", "DOCREACTOR_REPLICATION_FACTOR": "1"}
    environment["DOCREACTOR_MIN_INSYNC_REPLICAS"] = "1"
    workers = [
        WorkerProcess(
            f"t{run}-{name}", broker, directory / name, environment, models=f"{MODEL}:words"
        )
        for name in NAMES
    ]

    async def started() -> list[str]:
        for worker in workers:
            settings = Settings(
                app=worker.app, partitions=2, replication_factor=1, min_insync_replicas=1
            )
            async with open_kafka(settings, broker, wait_s=15.0) as log:
                await create_topics(log, settings)
            worker.start()
        return [await worker.await_ready() for worker in workers]

    try:
        yield asyncio.run(started())
    finally:
        for worker in workers:
            worker.kill()


class Exchange:
    """One document at three deployments, and all that happens to it, from one seed."""

    def __init__(self, reactors: Sequence[Reactor], seed: int) -> None:
        self.reactors = reactors
        self.chance = random.Random(seed)
        self.document_id = f"seed-{seed}-{uuid4().hex[:8]}"
        self.accepted: set[tuple[str, str | None]] = set()
        self.second = 0
        self.ids = 0

    async def begin(self) -> None:
        """The first creates it. What the others load of it before they know it must wait."""
        first, *others = self.reactors
        stamp = render(Microseconds(_BEGIN_US))
        await first.create("test/words", id=self.document_id, timestamp=stamp, wait="write")
        for _ in range(3):
            await self.write(0)
        told = await self.stored(0, "global")
        waiting: list[tuple[Reactor, Job]] = []
        for other in others:
            if told and self.chance.random() < 0.5:
                waiting.append((other, await other.load(self.document_id, told)))
        home = await self.stored(0, "document")
        for other in others:
            await other.load(self.document_id, home, source=NAMES[0], wait="write")
        for other, job in waiting:
            assert (await other.wait(job, "write")).error is None

    async def write(self, at: int) -> None:
        """One mutation; it may be refused."""
        chance, scope = self.chance, self.chance.choices(SCOPES, [1, 5, 2])[0]
        self.second += chance.random() < 0.5
        actions = [self.action(scope) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        try:
            await self.reactors[at].submit(self.document_id, actions, wait="write")
        except ReactorError as error:
            assert error.name() in REFUSALS, error
        else:
            self.accepted |= {(scope, action.id) for action in actions}

    def action(self, scope: str) -> ActionRequest:
        """Often at the same time as another."""
        chance = self.chance
        self.ids += 1
        action_id = f"{chance.choice('abcxyz')}{self.ids}"
        moment = _BEGIN_US + 1_000_000 * chance.randint(1, self.second + 1)
        stream = Stream(self.document_id, scope, DEFAULT_BRANCH)
        drawn = draw(chance, stream, action_id, render(Microseconds(moment)))
        return ActionRequest.model_validate(drawn.json)

    async def stored(self, at: int, scope: str, *, effective: bool = False) -> list[Operation]:
        """A history, page by page."""
        found: list[Operation] = []
        cursor: str | None = None
        while True:
            page = await self.reactors[at].history(
                self.document_id, scope=scope, effective=effective, limit=_PAGE, cursor=cursor
            )
            found += page.operations
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def send(self, sender: int, receiver: int) -> None:
        """A part of what one holds, in any order, and some of it twice."""
        scope = self.chance.choice(SCOPES)
        told = await self.stored(sender, scope)
        self.chance.shuffle(told)
        told = told[: self.chance.randint(0, len(told))]
        for some in (told, told[: len(told) // 2]):
            if some:
                await self.reactors[receiver].load(
                    self.document_id, some, source=NAMES[sender], wait="write"
                )

    async def send_all(self) -> int:
        """Everything to everyone; how much more is stored afterwards."""
        before = await self.count()
        for sender, receiver in permutations(range(len(NAMES)), 2):
            for scope in SCOPES:
                told = await self.stored(sender, scope)
                if told:
                    await self.reactors[receiver].load(
                        self.document_id, told, source=NAMES[sender], wait="write"
                    )
        return await self.count() - before

    async def count(self) -> int:
        """Every operation that any of them stored."""
        return sum(
            [len(await self.stored(at, scope)) for at in range(len(NAMES)) for scope in SCOPES]
        )

    async def histories(self, at: int) -> dict[str, list[tuple[Any, ...]]]:
        """What stands, and what came of each."""
        return {
            scope: [
                (one.action, one.timestamp, one.error, one.hash)
                for one in await self.stored(at, scope, effective=True)
            ]
            for scope in SCOPES
        }

    async def shown(self, at: int) -> Any:
        """What its view shows, but for what tells of its own log."""
        told = await self.stored(at, "document")
        job = await self.reactors[at].load(self.document_id, told[:1], wait="read")
        try:
            document = await self.reactors[at].get(self.document_id, token=job.token)
        except DocumentDeletedError:
            return "deleted"
        header = document.header.model_dump(exclude={"revision", "last_modified_at"})
        return header, document.state


@asynccontextmanager
async def exchange(urls: Sequence[str], seed: int) -> AsyncIterator[Exchange]:
    async with AsyncExitStack() as resources:
        reactors = [await resources.enter_async_context(Reactor(url)) for url in urls]
        yield Exchange(reactors, seed)


async def converge(urls: Sequence[str], seed: int) -> None:
    async with exchange(urls, seed) as replicas:
        chance = replicas.chance
        await replicas.begin()
        for _ in range(chance.randint(15, 30)):
            if chance.random() < 0.7:
                await replicas.write(chance.randrange(len(NAMES)))
            else:
                sender, receiver = chance.sample(range(len(NAMES)), 2)
                await replicas.send(sender, receiver)
        rounds = 1
        while await replicas.send_all():
            rounds += 1
            assert rounds < _ROUNDS_MAX, "the exchange does not end"
        first, *others = [await replicas.histories(at) for at in range(len(NAMES))]
        assert others == [first, first]
        known = {(scope, each[0].id) for scope, told in first.items() for each in told}
        assert replicas.accepted <= known, "something was lost"
        first, *others = [await replicas.shown(at) for at in range(len(NAMES))]
        assert others == [first, first]
        for reactor in replicas.reactors:
            assert (await reactor.verify(replicas.document_id)).findings == []


@pytest.mark.seeds(2)
async def test_deployments_converge_over_http(urls: list[str], seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            await converge(urls, seed)


@pytest.mark.nightly
@pytest.mark.seeds(20)
async def test_deployments_converge_over_http_from_many_seeds(
    urls: list[str], seeds: Seeds
) -> None:
    await test_deployments_converge_over_http(urls, seeds)
