"""The read models of a partition while its log, its disk or its assignment give trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from docreactor.agents.log import Isolation, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_reader import MemoryReader
from docreactor.pipeline.errors import RestoringError, StoreFailedError
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.position import Offset
from docreactor.pipeline.registry import Registry
from docreactor.tables.store import Store
from tests.agents.test_read_models import Sick
from tests.support.ledger import ledger
from tests.support.nodes import Site, live, site, total, until
from tests.support.relating import related_to
from tests.support.troubled import ADD, COUNTS, Counts, Slow, count_of, registry, row_of, written


class HeldLog(MemoryLog):
    """A log of which no operations can be read before a gate is open."""

    def __init__(self, place: Site) -> None:
        super().__init__(place.cluster, place.settings)
        self.asked, self.gate = asyncio.Event(), asyncio.Event()
        self._topic = place.topics.operations

    async def reader(
        self,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> MemoryReader:
        if any(source.topic == self._topic for source in sources):
            self.asked.set()
            await self.gate.wait()
        return await super().reader(sources, isolation)


async def test_no_documents_are_shown_but_those_that_were_restored() -> None:
    place = site()
    async with place.node() as node:
        await written(place, node, "d1", 5)
    log = HeldLog(place)
    async with place.node(log=log, open_store=place.disk("new"), ready=False) as node:
        await log.asked.wait()
        node.coordinator.rebuild("documents")
        node.coordinator.finish("documents")
        log.gate.set()
        await until(node.ready)
        assert live(node).viewed.next_offset >= live(node).written.next_offset
        assert live(node).serving("documents", None).generation == 1
        assert await total(node, "d1") == 5


class Disk:
    """A place whose stores of one name cannot be opened while it is told so."""

    def __init__(self, place: Site, name: str) -> None:
        self._place, self._name = place, name
        self.is_damaged = True

    def open(self, name: str) -> Store:
        if self.is_damaged and name == self._name:
            raise StoreFailedError("a file is damaged")
        return self._place.open_store(name)


@pytest.mark.parametrize(
    ("name", "store"), [(COUNTS, "0/models/counts-0"), ("relationships", "0/relationships")]
)
async def test_a_store_that_cannot_be_opened_holds_up_its_own_read_model_alone(
    name: str, store: str
) -> None:
    place = site()
    async with place.node(registry=registry(Counts())) as node:
        await written(place, node, "d1", 1)
        await until(lambda: COUNTS in node.coordinator.required)
    disk = Disk(place, store)
    async with place.node(registry=registry(Counts()), open_store=disk.open) as node:
        job = place.job("d1", [(ADD, {"amount": 1})])
        offset = await node.submit(job)
        await live(node).wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        held = live(node).job(job.id)
        assert held is not None
        assert (held.status, held.held_by) == (JobStatus.WRITE_READY, {name: "a file is damaged"})
        assert "a file is damaged" in str(row_of(node, name)["error"])
        await live(node).viewed.wait(live(node).written.next_offset, 10.0)
        assert await total(node, "d1") == 2
        disk.is_damaged = False
        await live(node).wait_job(job.id, offset=offset, until="read", timeout_s=10.0)
        assert row_of(node, name)["error"] is None


async def test_rows_that_are_not_all_back_are_not_shown_as_if_they_were() -> None:
    place = site()
    async with place.node(registry=registry(Counts())) as node:
        await written(place, node, "d1", 3)
        await until(lambda: COUNTS in node.coordinator.required)
        await until(lambda: count_of(node, "d1") == 5)
        position = live(node).operations_position()
        await until(lambda: node.coordinator.position(COUNTS).reached(position))
    slow = Slow()
    slow.gate.clear()
    elsewhere = place.disk("elsewhere")
    async with place.node(registry=registry(slow), open_store=elsewhere) as node:
        await slow.entered.wait()
        with pytest.raises(RestoringError):
            live(node).serving(COUNTS, None)
        with pytest.raises(RestoringError):
            live(node).position_of(COUNTS)
        slow.gate.set()
        await until(lambda: row_of(node, COUNTS)["caught_up"])
        assert count_of(node, "d1") == 5


async def test_a_read_model_that_a_worker_has_at_last_is_kept_from_then_on() -> None:
    place = site()
    async with place.node(registry=registry(Counts())) as node:
        await written(place, node, "d1", 1)
        await until(lambda: COUNTS in node.coordinator.required)
    installed = Installed()
    async with place.node(registry=installed) as node:
        await until(lambda: "no read model counts" in str(row_of(node, COUNTS).get("error")))
        installed.install(Counts())
        await until(lambda: row_of(node, COUNTS).get("error") is None)
        await until(lambda: count_of(node, "d1") == 3)


class Installed(Registry):
    """A registry in which a read model turns up later, as out of a package."""

    def __init__(self) -> None:
        super().__init__([ledger])
        self._late: dict[str, Counts] = {}

    @property
    def read_models(self) -> Mapping[str, Any]:
        return self._late

    def install(self, model: Counts) -> None:
        self._late[model.name] = model


async def test_a_graph_that_fails_holds_what_is_ready_and_says_so() -> None:
    place = site()
    sick = place.stores["graph"] = Sick()
    async with place.node() as node:
        await written(place, node, "d1", 1)
        sick.is_full = True
        edge = {"source_id": "d1", **related_to("d2")}
        job = place.job("d1", [("ADD_RELATIONSHIP", edge)], scope="document")
        offset = await node.submit(job)
        await live(node).wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        await until(lambda: node.graph.error)
        held = live(node).job(job.id)
        assert held is not None
        assert (held.status, held.held_by) == (
            JobStatus.WRITE_READY,
            {"relationships": "the graph of this node: no space left"},
        )
        await until(lambda: "no space left" in str(row_of(node, "relationships")["error"]))
        sick.is_full = False
        await live(node).wait_job(job.id, offset=offset, until="read", timeout_s=10.0)
        await until(lambda: row_of(node, "relationships")["error"] is None)
