"""What one reactor wrote and another loaded is shown there, and whoever waits knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from docreactor import Reactor
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import create_topics
from docreactor.gateway.answers import Job
from docreactor.gateway.events.answers import DocumentEvent
from docreactor.gateway.events.following import Events
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.settings import Settings
from tests.gateway.deployment import several_nodes
from tests.support.kafka import Kafka
from tests.support.ledger import ledger
from tests.support.workers import WorkerProcess

LEDGER = "test/ledger"
PARTITIONS = 2
Wait = Callable[[Reactor, Job, Events], Awaitable[str]]
"""Wait until a reactor's reads show a job; the token to read with."""


async def _by_job(there: Reactor, job: Job, events: Events) -> str:
    """The job itself says it."""
    assert (await there.wait(job, "read")).status is JobStatus.READ_READY
    return job.token


async def _by_event(there: Reactor, job: Job, events: Events) -> str:
    """An event comes when reads show what it tells of."""
    async with asyncio.timeout(30):
        async for event in events:
            if isinstance(event, DocumentEvent) and event.scopes == ["global"]:
                return event.token
    raise AssertionError("events have no end")


async def _by_token(there: Reactor, job: Job, events: Events) -> str:
    """Whoever reads with the token waits by itself."""
    return (await there.wait(job, "write")).token


WAYS = (_by_job, _by_event, _by_token)


async def _sent(here: Reactor, there: Reactor, document_id: str) -> Job:
    """Bring everything that one reactor has stored of a document to another."""
    job: Job | None = None
    for scope in ("document", "global"):
        history = await here.history(document_id, scope=scope)
        assert history.next_cursor is None
        job = await there.load(document_id, history.operations, source="here")
    assert job is not None
    return job


async def _synchronised(here: Reactor, there: Reactor, way: Wait) -> None:
    """A document that was written at one reactor is shown by the other, and again."""
    document_id = f"sent{way.__name__}"
    await here.create(LEDGER, id=document_id, name="sent", slug=f"the-{document_id}")
    for amount in (3, 4):
        added = {"type": "ADD", "input": {"amount": amount}}
        written = await here.submit(document_id, added, wait="write")
        async with there.events(id=document_id) as events:
            job = await _sent(here, there, document_id)
            token = await way(there, job, events)
        shown = await there.get(document_id, token=token, timeout_ms=30_000)
        wanted = await here.get(document_id, token=written.token)
        assert (shown.header, shown.state) == (wanted.header, wanted.state)
    assert shown.state["global"]["total"] == 7
    assert await there.resolve_slug(f"the-{document_id}") == document_id


@pytest.mark.parametrize("way", WAYS)
async def test_what_was_written_at_one_reactor_is_shown_by_another(way: Wait) -> None:
    async with (
        several_nodes(1, models=(ledger,)) as (here,),
        several_nodes(2, models=(ledger,)) as (there, _),
    ):
        await _synchronised(here.reactor, there.reactor, way)


@asynccontextmanager
async def _reactors(broker: str, app: str, directory: Path) -> AsyncGenerator[list[Reactor]]:
    """Two deployments on one Kafka, each a worker process of its own."""
    given: dict[str, Any] = {"partitions": PARTITIONS, "replication_factor": 1}
    given["min_insync_replicas"] = 1
    environment = {f"DOCREACTOR_{name.upper()}": str(value) for name, value in given.items()}
    async with AsyncExitStack() as resources:
        workers: list[WorkerProcess] = []
        for number in range(2):
            settings = Settings(app=f"{app}-{number}", **given)
            async with open_kafka(settings, broker, wait_s=15.0) as log:
                await create_topics(log, settings)
            worker = WorkerProcess(settings.app, broker, directory / settings.app, environment)
            resources.callback(worker.kill)
            worker.start()
            workers.append(worker)
        yield [
            await resources.enter_async_context(Reactor(await worker.await_ready()))
            for worker in workers
        ]


async def test_on_a_real_kafka_too_and_whatever_is_waited_for(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    async with _reactors(kafka.bootstrap_servers, app, tmp_path) as (here, there):
        for way in WAYS:
            await _synchronised(here, there, way)
