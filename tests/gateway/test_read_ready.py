"""READ_READY waits for every read model: what is measured of it, and what holds it up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from docreactor import Reactor, ReadModel
from docreactor.gateway.answers import Document, Job
from docreactor.gateway.app import create_app
from docreactor.gateway.events.answers import DocumentEvent
from docreactor.gateway.server import listen, serving
from docreactor.pipeline.errors import JobNotReadyError
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.position import Offset
from docreactor.pipeline.read_model import Change, Writer
from docreactor.pipeline.registry import Registry
from docreactor.tables.store import AnyRow
from tests.gateway.deployment import Running, one_node
from tests.support.ledger import ledger
from tests.support.nodes import KeptStore, Site, site, until
from tests.support.troubled import Counts

LEDGER = "test/ledger"
PARTITIONS = 2


class Paced(Counts):
    """It counts too, and one document keeps it waiting; it remembers what it was given."""

    name = "paced"

    def __init__(self, held: str) -> None:
        self.held = held
        self.gate = asyncio.Event()
        self.given: list[tuple[str, int]] = []

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        for change in batch:
            if change.document_id == self.held:
                await self.gate.wait()
            assert change.operation is not None
            self.given.append((change.document_id, change.offset))
        super().apply(batch, writer)


class Full(KeptStore):
    """A store on a disk that takes nothing while it is full."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False

    def write(
        self,
        rows: Sequence[AnyRow],
        positions: Mapping[str, Offset],
        *,
        now_ms: int,
        is_logged: bool = True,
    ) -> None:
        if self.is_full:
            raise OSError("no space left")
        super().write(rows, positions, now_ms=now_ms, is_logged=is_logged)


@asynccontextmanager
async def asked(place: Site, **given: Any) -> AsyncGenerator[Running]:
    """A node of this site behind a socket."""
    listener = listen("127.0.0.1", 0, None)
    async with AsyncExitStack() as resources:
        resources.enter_context(listener.socket)
        enter = resources.enter_async_context
        node = await enter(place.node(url=listener.url, **given))
        app = create_app(node)
        await enter(app.router.lifespan_context(app))
        await enter(serving(app, listener))
        http = await enter(httpx.AsyncClient(base_url=listener.url))
        yield Running(node, http, await enter(Reactor(listener.url, retry_for_s=5)))


def _with(*read_models: ReadModel) -> Registry:
    return Registry([ledger, *read_models])


async def _add(reactor: Reactor, document_id: str, amount: int, wait: Any = "read") -> Job:
    action = {"type": "ADD", "input": {"amount": amount}}
    return await reactor.submit(document_id, action, wait=wait)


def _total(document: Document) -> Any:
    return document.state["global"]["total"]


def _document_in(partition: int) -> str:
    """An id of that partition."""
    names = (f"ledger-{number}" for number in range(1_000))
    return next(name for name in names if partition_for(name, PARTITIONS) == partition)


async def _required(one: Running, *names: str) -> None:
    await until(lambda: set(names) <= set(one.node.coordinator.required))


async def test_the_time_from_write_ready_to_read_ready_is_measured_for_each_read_model() -> None:
    async with one_node(models=(ledger, Counts())) as one:
        await _required(one, "counts")
        await one.reactor.create(LEDGER, id="d1", wait="read")
        await _add(one.reactor, "d1", 1)

        figures = (await one.http.get("/metrics")).text

    (family,) = [
        family
        for family in text_string_to_metric_families(figures)
        if family.name == "docreactor_read_ready_seconds"
    ]
    measured = {
        (sample.name.rpartition("_")[2], sample.labels["model"]): sample.value
        for sample in family.samples
        if "le" not in sample.labels
    }
    for model in ("documents", "relationships", "counts"):
        assert measured["count", model] == 2
        assert 0 < measured["sum", model] < 60


async def test_read_ready_comes_after_every_read_model_and_in_order_within_a_partition() -> None:
    held, other = _document_in(0), _document_in(1)
    paced = Paced(held)
    place = site(partitions=PARTITIONS)
    async with asked(place, registry=_with(Counts(), paced)) as one:
        await _required(one, "counts", "paced")
        reactor = one.reactor
        first = await reactor.create(LEDGER, id=held, wait="write")
        second = await _add(reactor, held, 5, wait="write")
        # The other read models show it long before.
        for model in ("documents", "relationships", "counts"):
            await reactor.wait_for(second.token, model=model)
        assert _total(await reactor.get(held, token=second.token)) == 5
        # So does another partition, as a whole.
        await reactor.create(LEDGER, id=other, wait="read")
        assert (await _add(reactor, other, 1)).status is JobStatus.READ_READY
        for job in (first, second):
            with pytest.raises(JobNotReadyError):
                await reactor.wait(job, "read", timeout_ms=1)

        paced.gate.set()

        for job in (second, first):
            assert (await reactor.wait(job, "read")).status is JobStatus.READ_READY
    offsets = [offset for document_id, offset in paced.given if document_id == held]
    assert len(offsets) == 3
    assert offsets == sorted(set(offsets))


async def test_nothing_is_read_ready_while_a_read_model_fails_and_all_is_when_it_recovers() -> None:
    place, disks = site(), {name: Full() for name in ("counts", "paced")}
    paced = Paced("nobody")
    for name, disk in disks.items():
        place.stores[f"0/models/{name}-0"] = disk
    async with asked(place, registry=_with(Counts(), paced)) as one:
        await _required(one, *disks)
        reactor = one.reactor
        await reactor.create(LEDGER, id="d1", wait="read")
        for disk in disks.values():
            disk.is_full = True
        jobs = [await _add(reactor, "d1", amount, wait="write") for amount in (1, 2)]
        await until(lambda: all(_error(one, name) for name in disks))

        for job in jobs:
            with pytest.raises(JobNotReadyError):
                await reactor.wait(job, "read", timeout_ms=20)
            told = await reactor.job(job.id)
            assert told.status is JobStatus.WRITE_READY
            assert told.held_by == dict.fromkeys(disks, "no space left")
        health = (await one.http.get("/healthz")).json()
        assert {f"{name}/0" for name in disks} == health["errors"].keys()
        ready = (await reactor.positions()).ready[0]
        assert _total(await reactor.get("d1", token=jobs[-1].token)) == 3

        # One that recovers is not enough.
        disks["counts"].is_full = False
        await reactor.wait_for(jobs[-1].token, model="counts")
        assert (await reactor.job(jobs[0].id)).held_by == {"paced": "no space left"}
        assert (await reactor.positions()).ready[0] == ready

        disks["paced"].is_full = False
        for job in jobs:
            told = await reactor.wait(job, "read")
            assert (told.status, told.held_by) == (JobStatus.READ_READY, None)
        assert (await _add(reactor, "d1", 3)).status is JobStatus.READ_READY
        assert (await one.http.get("/healthz")).json()["errors"] == {}
        (row,) = (await reactor.rows("paced", key="d1")).rows
        assert row.value == 5


def _error(one: Running, name: str) -> Any:
    return next(row["error"] for row in one.node.positions() if row["name"] == name)


async def test_a_node_that_was_stopped_tells_nothing_any_more() -> None:
    place = site()
    topics = (place.topics.operations, place.topics.relationships, place.topics.positions)
    gateway = asked(place, is_gateway_only=True, open_store=place.disk("gateway"))
    async with gateway as one, one.reactor.events() as events:
        async with place.node() as node:
            await node.submit(place.creation("d1"))
            assert (await anext(events)).event == "document.created"
        ends = [len(place.records(topic)) for topic in topics]
        ready = one.node.coordinator.ready(0).next_offset
        await place.enqueue(place.creation("d2"))

        next_event = asyncio.ensure_future(anext(events))
        await asyncio.wait({next_event}, timeout=0.3)

        assert not next_event.done()
        assert [len(place.records(topic)) for topic in topics] == ends
        assert one.node.coordinator.ready(0).next_offset == ready
        async with place.node():
            event = await next_event
        assert isinstance(event, DocumentEvent)
        assert event.document_id == "d2"
