"""Sessions, and waiting for positions, among processes of their own that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from docreactor import Reactor
from docreactor.gateway.answers import Document
from docreactor.gateway.coordinates import Coordinate
from docreactor.gateway.session import Session
from docreactor.pipeline.errors import NotYetVisibleError
from tests.support.kafka import Kafka
from tests.support.ordeal import ordeal, until
from tests.support.workers import WorkerProcess, positions

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

IDS = [f"book-{number}" for number in range(6)]
ROUNDS = 10
FIVE = {"type": "ADD", "input": {"amount": 5}}


def total(document: Document) -> int:
    found: int = document.state["global"]["total"]
    return found


@asynccontextmanager
async def processes(
    kafka: Kafka, app: str, directory: Path
) -> AsyncGenerator[tuple[WorkerProcess, WorkerProcess, WorkerProcess]]:
    """Two workers that share the partitions, and a gateway alone."""
    async with ordeal(kafka.bootstrap_servers, app, directory, documents=0, seed=7) as scene:
        first, second, gateway = (scene.worker(name) for name in ("first", "second", "gateway"))
        gateway.options = ("--only", "gateway")
        workers = (first, second, gateway)
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                await worker.await_ready()
            await until(lambda: shared(gateway.url))
            yield workers
        finally:
            for worker in workers:
                worker.kill()


async def shared(url: str) -> bool:
    """Whether two nodes own the partitions, as a node knows it."""
    return len({row["url"] for row in await positions(url) if row["kind"] == "reducer"}) == 2


async def write_and_read(session: Session, rounds: int) -> None:
    """Each read shows what the session wrote, whoever owned the partition meanwhile."""
    for number in range(1, rounds + 1):
        for document_id in IDS:
            await session.submit(document_id, FIVE, wait="none" if number % 2 else "write")
            assert total(await session.get(document_id)) == 5 * number


async def test_writes_are_read_and_waited_for_at_every_process_while_workers_come_and_go(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    async with (
        processes(kafka, app, tmp_path) as (first, second, gateway),
        Reactor(gateway.url) as reactor,
        reactor.session() as session,
    ):
        for document_id in IDS:
            await session.create("test/ledger", id=document_id)
        writing = asyncio.create_task(write_and_read(session, rounds=ROUNDS))
        await asyncio.to_thread(second.stop)
        second.start()
        await second.await_ready()
        await writing
        await everywhere([first.url, second.url, gateway.url], session.token)


async def everywhere(urls: list[str], token: str) -> None:
    """Every node waits for what was written, in every read model, and for no more than that."""
    last = ROUNDS - 1
    places = [Coordinate(document_id=one, operation_index=last) for one in IDS]
    for url in urls:
        async with Reactor(url) as reactor:
            for model in (None, "documents", "relationships", "graph"):
                await reactor.wait_for(token, coordinates=places, model=model)
            shown = await reactor.get_many(IDS, token=await reactor.resolve(places))
            assert [total(document) for document in shown] == [5 * ROUNDS] * len(IDS)
            beyond = Coordinate(document_id=IDS[0], operation_index=ROUNDS)
            with pytest.raises(NotYetVisibleError):
                await reactor.wait_for(coordinates=beyond, timeout_ms=200)
