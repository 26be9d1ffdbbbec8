"""Events on a real Kafka: told by any worker, whatever breaks and whoever is killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import create_topics
from docreactor.gateway.client import Reactor
from docreactor.gateway.events.answers import DocumentEvent, RelationshipEvent
from docreactor.gateway.events.following import Events
from docreactor.pipeline.settings import Settings
from tests.gateway.events.front import wire
from tests.support.kafka import Kafka
from tests.support.workers import WorkerProcess

pytestmark = pytest.mark.timeout(240)

SETTINGS: dict[str, Any] = {
    "partitions": 4,
    "replication_factor": 1,
    "min_insync_replicas": 1,
    "session_timeout_ms": 2_000,
}
TYPE = "test/ledger"


@asynccontextmanager
async def workers(
    broker: str, app: str, directory: Path, count: int
) -> AsyncGenerator[list[WorkerProcess]]:
    """Worker processes that share the partitions of a deployment of their own."""
    settings = Settings(app=app, **SETTINGS)
    async with open_kafka(settings, broker, wait_s=15.0) as log:
        await create_topics(log, settings)
    environment = {f"DOCREACTOR_{name.upper()}": str(value) for name, value in SETTINGS.items()}
    async with AsyncExitStack() as running:
        started: list[WorkerProcess] = []
        for number in range(count):
            worker = WorkerProcess(app, broker, directory / f"worker-{number}", environment)
            running.callback(worker.kill)
            worker.start()
            started.append(worker)
        for worker in started:
            await worker.await_ready()
        yield started


async def created(reactor: Reactor, names: Sequence[str]) -> None:
    """Documents of these ids, each with an entry and an edge."""
    for name in names:
        await reactor.create(TYPE, id=name, wait="write")
        await reactor.submit(name, {"type": "ADD", "input": {"amount": 1}}, wait="write")
        await reactor.relate(name, "hub", "knows", wait="write")


async def told(events: Events, names: Sequence[str], found: list[str]) -> None:
    """Follow until every one of these documents has been told of in full."""
    async with asyncio.timeout(60):
        while not _are_complete(names, found):
            event = await anext(events)
            if isinstance(event, RelationshipEvent):
                found.append(f"{event.change} {event.source_id}")
            else:
                found.append(f"{event.event} {event.document_id} {','.join(event.scopes)}")


async def following(events: Events) -> DocumentEvent:
    """The next event."""
    async with asyncio.timeout(30):
        event = await anext(events)
    assert isinstance(event, DocumentEvent)
    return event


def _of(name: str) -> list[str]:
    return [
        f"document.created {name} document",
        f"document.updated {name} global",
        f"document.updated {name} document",
        f"added {name}",
    ]


def _are_complete(names: Sequence[str], found: Sequence[str]) -> bool:
    return all(one in found for name in names for one in _of(name))


async def test_no_event_is_lost_or_doubled_when_a_connection_breaks_and_a_worker_dies(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    found: list[str] = []
    rounds = [[f"d{turn}-{number}" for number in range(6)] for turn in range(4)]
    async with (
        workers(kafka.bootstrap_servers, app, tmp_path, 2) as (first, second),
        Reactor(second.url) as there,
        wire(first.url) as line,
    ):
        async with Reactor(line.url) as here, here.events() as events:
            await created(there, rounds[0])
            await told(events, rounds[0], found)
            line.cut()
            await created(there, rounds[1])
            await told(events, rounds[1], found)
            cursor = events.cursor
        first.kill()
        async with there.events(cursor=cursor) as events:
            await created(there, rounds[2])
            await told(events, rounds[2], found)
            first.start()
            await first.await_ready()
            await created(there, rounds[3])
            await told(events, rounds[3], found)

    assert sorted(found) == sorted(one for names in rounds for name in names for one in _of(name))


async def test_an_event_is_fresh_on_every_node_and_a_worker_that_stops_says_so(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    names, scope = "document.updated", "global"
    async with (
        workers(kafka.bootstrap_servers, app, tmp_path, 2) as (first, second),
        Reactor(first.url) as here,
        Reactor(second.url) as there,
    ):
        async with here.events(events=names, scope=scope) as events:
            for number in range(10):
                name = f"d{number}"
                await there.create(TYPE, id=name, wait="write")
                await there.submit(name, {"type": "ADD", "input": {"amount": number}})
                event = await following(events)
                for reactor in (here, there):
                    shown = await reactor.get(name, token=event.token, timeout_ms=0)
                    assert shown.state["global"]["total"] == number
            async with asyncio.timeout(10):
                # The stream is open, and holds up nothing.
                assert await asyncio.to_thread(first.stop) == 0
        async with there.events(events=names, scope=scope, cursor=events.cursor) as again:
            await there.submit("d1", {"type": "ADD", "input": {"amount": 5}})
            assert (await following(again)).document_id == "d1"
