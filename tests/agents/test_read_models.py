"""The read models of a running partition: lanes, generations, and what is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from docreactor.agents.live import LivePartition
from docreactor.agents.node import Node
from docreactor.pipeline.errors import NothingToRollBackError, RestoringError
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.position import Offset
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.pipeline.registry import Registry
from docreactor.tables.store import AnyRow
from tests.support.ledger import ledger
from tests.support.nodes import KeptStore, Site, done, live, site, total, until

ADD = "ADD"
COUNTS = "counts"


class Counts(ReadModel):
    """How many operations each document has; it refuses what it is told to."""

    name = COUNTS

    def __init__(self, version: int = 1, step: int = 1, refused: str = "") -> None:
        self.version = version
        self.step = step
        self.refused = refused
        self.outside: list[int] = []

    def apply(self, batch: Sequence[Change], writer: Writer) -> Awaitable[None] | None:
        for change in batch:
            if change.document_id == self.refused:
                raise ValueError("it is refused")
            held: Any = writer.get(change.document_id, 0)
            writer.put(change.document_id, held + self.step)
            writer.effect(partial(self.outside.append, change.offset))
        return None

    def forget(self, document_id: str, writer: Writer) -> None:
        writer.delete(document_id)


def _registry(*read_models: ReadModel) -> Registry:
    return Registry([ledger, *read_models])


async def _written(place: Site, node: Node, document_id: str, count: int) -> None:
    await done(node, place.creation(document_id))
    for _ in range(count):
        await done(node, place.job(document_id, [(ADD, {"amount": 1})]))


def _row(node: Node, name: str, generation: int = 0) -> Mapping[str, Any]:
    rows = [
        row
        for row in node.positions()
        if row["name"] == name and row.get("generation") == generation
    ]
    return rows[0] if rows else {}


def _count(partition: LivePartition, document_id: str) -> Any:
    table: Any = partition.serving(COUNTS, None).projection
    content = table.table.get(document_id)
    return None if content is None else int(content)


def _serves(node: Node, name: str, generation: int) -> bool:
    try:
        return live(node).serving(name, None).generation == generation
    except RestoringError:
        return False


async def test_a_rebuilt_generation_serves_once_it_is_as_far_and_the_old_one_goes_on() -> None:
    place = site()
    async with place.node() as node:
        await _written(place, node, "d1", 5)
        before = live(node).documents
        node.coordinator.rebuild("documents")
        await until(lambda: _serves(node, "documents", 1))
        assert live(node).documents is not before
        assert await total(node, "d1") == 5

        await done(node, place.job("d1", [(ADD, {"amount": 4})]))
        assert await total(node, "d1") == 9
        old = live(node).serving("documents", 0)
        await old.reached.wait(live(node).written.next_offset, 10.0)
        assert [_row(node, "documents", one)["serving"] for one in (0, 1)] == [False, True]


async def test_it_is_rolled_back_at_once_and_finished_for_good() -> None:
    place = site()
    async with place.node() as node:
        await _written(place, node, "d1", 2)
        with pytest.raises(NothingToRollBackError):
            node.coordinator.roll_back("documents")
        node.coordinator.rebuild("documents")
        await until(lambda: _serves(node, "documents", 1))
        node.coordinator.roll_back("documents")
        await until(lambda: _serves(node, "documents", 0))
        await done(node, place.job("d1", [(ADD, {"amount": 3})]))
        assert await total(node, "d1") == 5

        node.coordinator.finish("documents")
        await until(lambda: not _row(node, "documents", 1))
        with pytest.raises(RestoringError):
            live(node).serving("documents", 1)
        assert place.stores["0/documents-1"].get(b"") is None
        assert list(place.stores["0/documents-1"].keys(b"\0", b"\xff")) == []


async def test_the_next_process_begins_with_the_generation_that_served() -> None:
    place = site()
    async with place.node() as node:
        await _written(place, node, "d1", 2)
        node.coordinator.rebuild("documents")
        await until(lambda: _serves(node, "documents", 1))
    async with place.node() as node:
        assert live(node).serving("documents", None).generation == 1
        assert await total(node, "d1") == 2


async def test_ready_is_what_the_least_of_the_required_read_models_shows() -> None:
    place, counts = site(), Counts()
    sick = place.stores["0/models/counts-0"] = Sick()
    async with place.node(registry=_registry(counts)) as node:
        await _written(place, node, "d1", 1)
        await until(lambda: COUNTS in node.coordinator.required)
        sick.is_full = True
        job = place.job("d1", [(ADD, {"amount": 1})])
        offset = await node.submit(job)
        partition = live(node)
        result = await partition.wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        await until(lambda: "no space" in str(_row(node, COUNTS).get("error")))
        held = partition.job(job.id)
        assert held is not None
        assert (held.status, held.held_by) == (JobStatus.WRITE_READY, {COUNTS: "no space left"})
        assert partition.viewed.next_offset >= partition.written.next_offset
        assert partition.ready.next_offset < partition.written.next_offset

        sick.is_full = False
        result = await partition.wait_job(job.id, offset=offset, until="read", timeout_s=10.0)
        assert (result.status, result.held_by) == (JobStatus.READ_READY, None)
        assert _count(partition, "d1") == 4


async def test_what_was_ready_stays_ready_whoever_owns_the_partition() -> None:
    place = site()
    async with place.node(registry=_registry(Counts())) as node:
        await _written(place, node, "d1", 3)
        await until(lambda: COUNTS in node.coordinator.required)
        job = place.job("d1", [(ADD, {"amount": 1})])
        assert (await done(node, job)).status is JobStatus.READ_READY
        await until(lambda: node.coordinator.ready(0).next_offset >= live(node).written.next_offset)
    # Another place, where nothing is kept: its rows are behind, the word that was given is not.
    elsewhere = _registry(Counts())
    async with place.node(registry=elsewhere, open_store=place.disk("elsewhere")) as node:
        result = live(node).job(job.id)
        assert result is not None and result.status is JobStatus.READ_READY


async def test_a_read_model_is_required_once_it_has_caught_up_and_no_more_when_it_is_retired() -> (
    None
):
    place = site()
    async with place.node() as node:
        await _written(place, node, "d1", 2)
        assert node.coordinator.required == ["documents", "relationships"]
    async with place.node(registry=_registry(Counts())) as node:
        await until(lambda: COUNTS in node.coordinator.required)
        assert _count(live(node), "d1") == 4
        node.coordinator.retire(COUNTS)
        await until(lambda: not _row(node, COUNTS))
        assert COUNTS not in node.coordinator.required
        await done(node, place.job("d1", [(ADD, {"amount": 1})]))

        node.coordinator.revive(COUNTS)
        await until(lambda: COUNTS in node.coordinator.required)
        assert _count(live(node), "d1") == 5


async def test_what_no_worker_has_any_more_holds_what_is_ready_and_says_so() -> None:
    place = site()
    async with place.node(registry=_registry(Counts())) as node:
        await _written(place, node, "d1", 1)
        await until(lambda: COUNTS in node.coordinator.required)
    async with place.node() as node:
        await until(lambda: "no read model counts" in str(_row(node, COUNTS).get("error")))
        job = place.job("d1", [(ADD, {"amount": 1})])
        offset = await node.submit(job)
        partition = live(node)
        await partition.wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        await partition.viewed.wait(partition.written.next_offset, 10.0)
        assert partition.ready.next_offset < partition.written.next_offset
        node.coordinator.retire(COUNTS)
        await partition.wait_job(job.id, offset=offset, until="read", timeout_s=10.0)


async def test_a_new_version_is_built_while_the_rows_of_the_old_one_serve() -> None:
    place = site()
    async with place.node(registry=_registry(Counts())) as node:
        await _written(place, node, "d1", 2)
        await until(lambda: COUNTS in node.coordinator.required)
        await until(lambda: _count(live(node), "d1") == 4)
    new, gate = Counts(version=2, step=10), asyncio.Event()
    held = place.stores["0/models/counts-1"] = Held(gate)
    async with place.node(registry=_registry(new)) as node:
        await held.asked.wait()
        assert live(node).serving(COUNTS, None).generation == 0
        assert _count(live(node), "d1") == 4
        gate.set()
        held.is_held = False
        await until(lambda: _serves(node, COUNTS, 1))
        assert _count(live(node), "d1") == 40
        assert new.outside == []
        await done(node, place.job("d1", [(ADD, {"amount": 1})]))
        await until(lambda: new.outside != [])


async def test_a_generation_may_begin_at_a_point_of_the_log() -> None:
    place = site()
    async with place.node(registry=_registry(Counts())) as node:
        await _written(place, node, "d1", 2)
        await until(lambda: COUNTS in node.coordinator.required)
        since = live(node).written.next_offset
        await _written(place, node, "d2", 1)
        node.coordinator.rebuild(COUNTS, {0: since})
        await until(lambda: _serves(node, COUNTS, 1))
        assert (_count(live(node), "d1"), _count(live(node), "d2")) == (None, 3)


async def test_a_document_that_one_read_model_cannot_apply_is_set_aside_there_and_named() -> None:
    place, counts = site(), Counts(refused="d2")
    async with place.node(registry=_registry(counts)) as node:
        await until(lambda: COUNTS in node.coordinator.required)
        await _written(place, node, "d1", 1)
        result = await done(node, place.creation("d2"))
        assert result.status is JobStatus.READ_READY
        assert result.held_by is not None
        assert set(result.held_by) == {COUNTS}
        assert await total(node, "d2") == 0
        assert _count(live(node), "d1") == 3

        derived = live(node).derived()
        assert [one[:2] for one in derived.quarantined()] == [(COUNTS, "d2")]
        counts.refused = ""
        await derived.retry(COUNTS, "d2")
        assert list(derived.quarantined()) == []
        assert _count(live(node), "d2") == 2


class Slow(Counts):
    """It waits for a gate before each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    def apply(self, batch: Sequence[Change], writer: Writer) -> Awaitable[None]:
        return self._apply(batch, writer)

    async def _apply(self, batch: Sequence[Change], writer: Writer) -> None:
        await self.gate.wait()
        super().apply(batch, writer)


async def test_a_users_slow_read_model_holds_up_nobody_and_misses_nothing() -> None:
    place, slow = site(batch_jobs_max=2), Slow()
    async with place.node(registry=_registry(slow)) as node:
        await _written(place, node, "d1", 1)
        await until(lambda: COUNTS in node.coordinator.required)
        slow.gate.clear()
        jobs = [place.job("d1", [(ADD, {"amount": 1})]) for _ in range(60)]
        partition = live(node)
        for job in jobs:
            offset = await node.submit(job)
            await partition.wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        await partition.viewed.wait(partition.written.next_offset, 10.0)
        slow.gate.set()
        await partition.wait_job(jobs[-1].id, offset=None, until="read", timeout_s=10.0)
        assert _count(partition, "d1") == 3 + len(jobs)


async def test_documents_are_derived_anew_while_more_is_written() -> None:
    place = site()
    async with place.node() as node:
        await _written(place, node, "d1", 3)
        derived, source = live(node).derived(), place.source(place.topics.operations)
        assert source.partition == 0
        adding = asyncio.create_task(_written(place, node, "d2", 20))
        while not adding.done():
            await derived.retry("documents", "d1")
            await derived.retry("documents", "d2")
            await derived.retry("relationships", "d2")
        await adding
        replayed = await derived.replay("documents", Offset(0), count_max=100)
        assert (replayed.documents, replayed.next_offset) == (2, None)
        await done(node, place.job("d2", [(ADD, {"amount": 5})]))
        assert (await total(node, "d1"), await total(node, "d2")) == (3, 25)
        assert list(live(node).documents.quarantined()) == []


class Sick(KeptStore):
    """A store whose disk is full when it is told so."""

    is_full = False
    refused = 0

    def write(
        self,
        rows: Sequence[AnyRow],
        positions: Mapping[str, Offset],
        *,
        now_ms: int,
        is_logged: bool = True,
    ) -> None:
        if self.is_full and positions:
            self.refused += 1
            raise OSError("no space left")
        super().write(rows, positions, now_ms=now_ms, is_logged=is_logged)


class Held(KeptStore):
    """A store that takes no rows until a gate is open."""

    def __init__(self, gate: asyncio.Event) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.is_held = True
        self._gate = gate

    def write(
        self,
        rows: Sequence[AnyRow],
        positions: Mapping[str, Offset],
        *,
        now_ms: int,
        is_logged: bool = True,
    ) -> None:
        if self.is_held:
            self.asked.set()
            raise OSError("held")
        super().write(rows, positions, now_ms=now_ms, is_logged=is_logged)
