"""One assignment of one partition, from assigned to closed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from docreactor.agents.clock import SystemClock
from docreactor.agents.log import Isolation, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_reader import MemoryReader
from docreactor.agents.log.memory_transactor import MemoryTransactor
from docreactor.agents.node import Node
from docreactor.pipeline.errors import LogError, StoreFailedError
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.position import Offset
from docreactor.tables.store import AnyRow
from tests.support.ledger import Ledger
from tests.support.nodes import (
    KeptStore,
    Site,
    counted,
    done,
    live,
    operations,
    site,
    total,
    until,
    until_ready,
)
from tests.support.steps import Steps

ADD = "ADD"


def _add(place: Site, amount: int = 1) -> Any:
    return place.job("d1", [(ADD, {"amount": amount})])


def _states(node: Node) -> list[tuple[str, Any]]:
    return [(row["state"], row["error"]) for row in node.positions()]


class Sick(KeptStore):
    """A store whose disk refuses while it is told to."""

    error: Exception | None = None

    def write(
        self,
        rows: Sequence[AnyRow],
        positions: Mapping[str, Offset],
        *,
        now_ms: int,
        is_logged: bool = True,
    ) -> None:
        if self.error is not None:
            raise self.error
        super().write(rows, positions, now_ms=now_ms, is_logged=is_logged)


_NO_SPACE = pytest.mark.parametrize(
    ("error", "label"),
    [(StoreFailedError("no space left"), "StoreFailed"), (OSError("no space left"), "OSError")],
)


@_NO_SPACE
async def test_a_read_model_that_its_place_keeps_from_going_on_holds_what_is_ready_and_no_more(
    error: Exception, label: str
) -> None:
    place = site()
    sick = place.stores["0/documents"] = Sick()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        sick.error = error
        job = _add(place)
        offset = await node.submit(job)
        partition = live(node)
        await until(lambda: counted(node, "errors_total", name=label) >= 2)
        written = await partition.wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        assert written.status is JobStatus.WRITE_READY
        rows = {row["name"]: row for row in node.positions()}
        view = rows["documents"]
        assert (view["state"], view["error"]) == ("RUNNING", "no space left")
        assert rows["reducer"]["error"] is None
        assert partition.ready.next_offset < partition.written.next_offset
        sick.error = None
        result = await partition.wait_job(job.id, offset=offset, until="read", timeout_s=10.0)
        assert result.status is JobStatus.READ_READY
        assert await total(node, "d1") == 1
        assert _states(node) == [("RUNNING", None)] * 3
        assert list(live(node).documents.quarantined()) == []


@_NO_SPACE
async def test_a_failure_of_the_place_is_tried_again_until_it_is_cured(
    error: Exception, label: str
) -> None:
    place = site()
    sick = place.stores["0/write"] = Sick()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        sick.error = error
        job = _add(place)
        offset = await node.submit(job)
        await until(lambda: counted(node, "errors_total", name=label) >= 2)
        # Told of, not answered for, and nobody's document is to blame.
        assert node.local(0) is None
        assert not node.ready()
        await until(lambda: _states(node) == [("CLOSED", "no space left")] * 3)
        sick.error = None
        await until_ready(node)
        await live(node).wait_job(job.id, offset=offset, until="read", timeout_s=10.0)
        assert await total(node, "d1") == 1
        assert [one.index for one in operations(node, "d1")] == [0]
        assert _states(node) == [("RUNNING", None)] * 3
        assert list(live(node).documents.quarantined()) == []


async def test_a_model_that_is_not_loaded_holds_its_partition_until_it_is() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await done(node, _add(place))
    models, place.models = place.models, (DocumentModel("test/another", state=Ledger),)
    del place.stores["0/documents"]
    async with place.node(ready=False) as node:
        await until(lambda: counted(node, "errors_total", name="UnknownModel"))
        await until(lambda: any("test/ledger" in (error or "") for _, error in _states(node)))
        assert not node.ready()
    place.models = models
    async with place.node() as node:
        assert await total(node, "d1") == 1


class Slowed(SystemClock):
    """A clock that can be set forward, as for a process that stood still."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


async def test_a_process_that_stood_still_answers_nothing_until_it_has_proved_itself() -> None:
    place, clock, steps = site(session_timeout_ms=6_000), Slowed(), Steps()
    async with place.node(steps, clock=clock) as node:
        await done(node, place.creation("d1"))
        partition = live(node)
        clock.ahead_s += 3.0
        assert node.local(0) is None
        assert not node.ready()
        proofs = steps.taken.count("committed")
        await until(lambda: node.local(0) is partition)
        assert steps.taken.count("committed") > proofs


async def test_a_worker_that_stood_still_too_long_never_answers_again() -> None:
    place, clock = site(), Slowed()
    with pytest.raises(ExceptionGroup):
        async with place.node(clock=clock) as node:
            await done(node, place.creation("d1"))
            clock.ahead_s += 60.0
            await place.log().transactor("test-actions-0")
            for _ in range(10_000):
                assert node.local(0) is None
                await asyncio.sleep(0.001)


class Held(MemoryLog):
    """A log whose operations cannot be read before it is let go."""

    def __init__(self, place: Site) -> None:
        super().__init__(place.cluster, place.settings)
        self._operations = place.topics.operations
        self.let_go = asyncio.Event()
        self.asked = asyncio.Event()

    async def reader(
        self,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> MemoryReader:
        if any(source.topic == self._operations for source in sources):
            self.asked.set()
            await self.let_go.wait()
        return await super().reader(sources, isolation)


async def test_while_it_restores_it_says_so_and_how_far_it_is() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
    place.stores.clear()
    log = Held(place)
    async with place.node(log=log, ready=False) as node:
        await log.asked.wait()
        assert node.local(0) is None
        error = node.restoring(0)
        assert error.facts["partition"] == 0
        assert counted(node, "partition_phase", partition="0") == 4
        log.let_go.set()
        await until_ready(node)
        assert counted(node, "partition_phase", partition="0") == 5


class Slow(MemoryLog):
    """A log that takes partitions over only when it is let, and tells of the node's heartbeats."""

    def __init__(self, place: Site) -> None:
        super().__init__(place.cluster, place.settings)
        self.let_go = asyncio.Event()
        self.beat = asyncio.Event()
        self._actions = place.source(place.topics.actions)

    async def transactor(self, transactional_id: str) -> MemoryTransactor:
        await self.let_go.wait()
        return await super().transactor(transactional_id)

    async def end_offsets(
        self, sources: Sequence[TopicPartition], isolation: Isolation = Isolation.COMMITTED
    ) -> Mapping[TopicPartition, Offset]:
        if self._actions in sources:
            self.beat.set()
        return await super().end_offsets(sources, isolation)


async def test_its_epoch_is_later_than_the_last_owners_however_long_it_took() -> None:
    place = site()
    async with place.node():
        pass
    log = Slow(place)
    async with place.node(log=log, ready=False) as node:
        await log.beat.wait()
        log.let_go.set()
        await until_ready(node)
        assert [row["epoch"] for row in node.positions()] == [2, 2, 2]


async def test_what_it_tells_of_its_restore_has_its_own_epoch() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
    place.stores.clear()
    log = Held(place)
    async with place.node(log=log, ready=False) as node:
        await log.asked.wait()
        await until(lambda: node.positions()[0]["state"] == "RESTORING")
        assert [row["epoch"] for row in node.positions()] == [2, 2, 2]
        log.let_go.set()
        await until_ready(node)


async def test_a_restore_ends_when_its_partition_goes() -> None:
    place = site(partitions=2)
    async with place.node() as node:
        for document_id in ("d1", "d2", "d3", "d4"):
            partition = node.partition_of(document_id)
            offset = await node.submit(job := place.creation(document_id))
            await live(node, partition).wait_job(
                job.id, offset=offset, until="write", timeout_s=10.0
            )
    place.stores.clear()
    log = Held(place)
    async with place.node(log=log, ready=False, url="http://a") as held:
        await log.asked.wait()
        async with place.node(open_store=place.disk("b"), url="http://b") as other:
            # The first gives one of two away, and begins anew with the other.
            assert [other.local(one) is not None for one in (0, 1)] == [False, True]
            assert other.owner(1) == "http://b"
            assert held.local(0) is None
            log.let_go.set()
            await until_ready(held)
            assert [held.local(one) is not None for one in (0, 1)] == [True, False]


async def test_a_leave_that_nobody_hears_of_ends_all_the_same() -> None:
    place, away = site(), False

    async def hook(step: str) -> None:
        if away and step == "append":
            raise LogError("the broker is away")

    async with place.node(hook) as node:
        await done(node, place.creation("d1"))
        away = True
    assert place.cluster.groups["test-reactor"].has_members is False


async def test_what_lies_ahead_of_it_is_measured() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await until(lambda: all(row["lag"] == 0 for row in node.positions()))
        assert counted(node, "lag_records", agent="reducer", partition="0") == 0
        assert counted(node, "lag_records", agent="documents", partition="0") == 0


async def test_its_rows_say_who_answers_and_how_far_it_is() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        reducer, view, related = node.positions()
        assert view["next_offset"] >= 2
        assert (reducer["kind"], reducer["name"]) == ("reducer", "reducer")
        assert (view["kind"], view["name"]) == ("view", "documents")
        assert (related["kind"], related["name"]) == ("view", "relationships")
        for row in (reducer, view, related):
            assert (row["partition"], row["epoch"], row["state"]) == (0, 1, "RUNNING")
            assert (row["url"], row["node"], row["error"]) == ("http://here", "node-1", None)
