"""What may be asked of a partition that serves, and how to wait for it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from docreactor.agents.kept import Kept
from docreactor.agents.live import LivePartition
from docreactor.agents.shelf import PartitionTables, Shelf
from docreactor.pipeline.errors import (
    InvalidInputError,
    JobNotFoundError,
    JobNotReadyError,
    NotYetVisibleError,
    TokenOfAnotherLogError,
)
from docreactor.pipeline.job import JobResult, JobStatus
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.pipeline.problem import problem
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import StoreIdentity
from docreactor.tables.wait import Reached
from tests.support.nodes import done, live, site
from tests.support.projecting import Nothing

LOG_ID = "d" * 32
NUMBER = 3
NOBODY_WAITS_S = 60.0


def _tables() -> PartitionTables:
    tables = Shelf(lambda _: MemoryStore(), Replay(Registry([])), Settings()).take(NUMBER)
    tables.write_store.begin(StoreIdentity(LOG_ID, 1))
    return tables


@dataclass
class Stage:
    """A partition whose lanes are the test."""

    tables: PartitionTables = field(default_factory=_tables)
    consumed: Reached = field(default_factory=Reached)
    written: Reached = field(default_factory=Reached)
    viewed: Reached = field(default_factory=Reached)
    ready: Reached = field(default_factory=Reached)
    end: int = 0

    @property
    def live(self) -> LivePartition:
        return LivePartition(
            NUMBER,
            LOG_ID,
            Replay(Registry([])),
            self.tables,
            self.consumed,
            self.written,
            self.ready,
            self._serving,
            self._end_of_actions,
        )

    def _serving(self, name: str, generation: int | None) -> Kept:
        assert (name, generation) == ("documents", None)
        return Kept(name, 0, Nothing(), self.viewed)

    async def _end_of_actions(self) -> Offset:
        return Offset(self.end)

    def decide(self, offset: int, next_operation: int = 0, failed: bool = False) -> None:
        """A job's result is stored, and its offset consumed."""
        result = JobResult(
            id=f"j{offset}-3",
            document_id="d1",
            scope="global",
            branch="main",
            status=JobStatus.FAILED if failed else JobStatus.WRITE_READY,
            token="" if failed else _position(next_operation).token,
            error=problem(InvalidInputError("amount", "too small")) if failed else None,
            retry_count=0,
            offset=offset,
        )
        content = result.model_dump_json().encode()
        row = self.tables.jobs.row(result.id.encode(), content)
        self.tables.write_store.write([row], {}, now_ms=1)
        self.written.advance(next_operation)
        self.consumed.advance(offset + 1)

    async def ask(self, number: int, **how: Any) -> JobResult:
        asked: dict[str, Any] = {"offset": None, "until": None, "timeout_s": NOBODY_WAITS_S} | how
        return await self.live.wait_job(f"j{number}-3", **asked)


def _position(next_offset: int, partition: int = NUMBER) -> Position:
    return Position(LOG_ID, {Partition(partition): Offset(next_offset)})


async def _asleep(task: asyncio.Task[Any], reached: Reached) -> None:
    """It waits for the position and goes on waiting."""
    while not reached.waiting:  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0)
    assert not task.done()


async def test_a_decided_job_is_write_ready_until_the_view_shows_it() -> None:
    stage = Stage()
    assert stage.live.job("j5-3") is None
    stage.decide(5, next_operation=9)
    assert (await stage.ask(5)).status is JobStatus.WRITE_READY
    stage.ready.advance(8)
    assert (await stage.ask(5)).status is JobStatus.WRITE_READY
    stage.ready.advance(9)
    assert (await stage.ask(5)).status is JobStatus.READ_READY


async def test_to_wait_for_the_write_is_to_wait_for_its_offset() -> None:
    stage = Stage()
    waiting = asyncio.create_task(stage.ask(5, offset=5, until="write"))
    await _asleep(waiting, stage.consumed)
    stage.consumed.advance(5)
    await _asleep(waiting, stage.consumed)
    stage.decide(5, next_operation=9)
    assert (await waiting).status is JobStatus.WRITE_READY


async def test_to_wait_for_the_read_is_to_wait_for_the_view() -> None:
    stage = Stage()
    waiting = asyncio.create_task(stage.ask(5, offset=5, until="read"))
    await _asleep(waiting, stage.consumed)
    stage.decide(5, next_operation=9)
    await _asleep(waiting, stage.ready)
    stage.ready.advance(9)
    assert (await waiting).status is JobStatus.READ_READY


@pytest.mark.parametrize("until", [None, "write", "read"])
async def test_a_failed_job_is_an_answer(until: str | None) -> None:
    stage = Stage()
    stage.decide(5, failed=True)
    result = await stage.ask(5, until=until)
    assert result.status is JobStatus.FAILED
    assert result.error is not None
    assert result.error["field"] == "amount"


async def test_a_job_that_is_not_written_in_time_is_pending() -> None:
    with pytest.raises(JobNotReadyError, match="WRITE_READY") as caught:
        await Stage().ask(5, offset=5, until="write", timeout_s=0.01)
    job = caught.value.job
    assert (job.id, job.status, job.offset) == ("j5-3", JobStatus.PENDING, 5)
    assert (job.token, job.error, job.document_id) == ("", None, None)


async def test_a_job_that_is_not_shown_in_time_is_write_ready() -> None:
    stage = Stage()
    stage.decide(5, next_operation=9)
    with pytest.raises(JobNotReadyError, match="READ_READY") as caught:
        await stage.ask(5, until="read", timeout_s=0.01)
    assert caught.value.job.status is JobStatus.WRITE_READY
    assert caught.value.job.token == _position(9).token


async def test_the_time_for_both_waits_is_one() -> None:
    stage = Stage()
    loop = asyncio.get_running_loop()
    since = loop.time()
    waiting = asyncio.create_task(stage.ask(5, offset=5, until="read", timeout_s=0.2))
    await _asleep(waiting, stage.consumed)
    stage.decide(5, next_operation=9)
    with pytest.raises(JobNotReadyError):
        await waiting
    assert loop.time() - since < 0.4


async def test_an_unknown_job_is_not_found_once_all_that_was_asked_is_decided() -> None:
    stage = Stage(end=6)
    stage.consumed.advance(6)
    for until in (None, "write", "read"):
        with pytest.raises(JobNotFoundError):
            await stage.ask(5, until=until)


async def test_an_unknown_job_may_be_on_its_way() -> None:
    stage = Stage(end=6)
    found = asyncio.create_task(stage.ask(5))
    lost = asyncio.create_task(stage.ask(4))
    await _asleep(found, stage.consumed)
    stage.decide(5, next_operation=9)
    assert (await found).status is JobStatus.WRITE_READY
    with pytest.raises(JobNotFoundError):
        await lost


async def test_an_unknown_job_is_pending_after_a_second() -> None:
    loop = asyncio.get_running_loop()
    since = loop.time()
    job = await Stage(end=6).ask(5)
    assert (job.status, job.offset, job.document_id) == (JobStatus.PENDING, None, None)
    assert 0.9 < loop.time() - since < 3.0


async def test_a_position_is_waited_for_where_it_is_shown() -> None:
    stage = Stage()
    for wait, reached in (
        (stage.live.wait_view, stage.viewed),
        (stage.live.wait_operations, stage.written),
    ):
        waiting = asyncio.create_task(wait(_position(4), NOBODY_WAITS_S))
        await _asleep(waiting, reached)
        reached.advance(4)
        await waiting


async def test_what_other_partitions_are_wanted_to_show_is_theirs() -> None:
    await Stage().live.wait_view(_position(99, partition=4), 0.0)


async def test_a_position_that_is_not_reached_in_time_is_named() -> None:
    stage = Stage()
    stage.viewed.advance(2)
    with pytest.raises(NotYetVisibleError) as caught:
        await stage.live.wait_view(_position(4), 0.0)
    assert caught.value.facts == {"wanted": _position(4).token, "reached": _position(2).token}


async def test_it_says_how_far_its_tables_are() -> None:
    stage = Stage()
    stage.viewed.advance(2)
    stage.written.advance(4)
    assert stage.live.view_position() == _position(2)
    assert stage.live.operations_position() == _position(4)


async def test_a_result_of_another_log_is_not_taken_for_one_of_this() -> None:
    stage = Stage()
    stage.decide(5, next_operation=9)
    live = stage.live
    other = LivePartition(
        NUMBER,
        "e" * 32,
        live.replay,
        live.tables,
        live.consumed,
        live.written,
        live.ready,
        live.serving,
        live.end_of_actions,
    )
    with pytest.raises(TokenOfAnotherLogError):
        other.job("j5-3")


async def test_it_hands_out_the_tables_of_its_partition() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        partition = live(node)
        assert partition.documents is partition.shown().table
        assert partition.operations is partition.tables.write.operations
        assert partition.cache is partition.tables.write.cache
        assert partition.jobs.get("j1-0") is not None
        assert await partition.end_of_actions() == 1
