"""One batch in one transaction, and what becomes visible after it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from docreactor.agents.log import Entry, Isolation, TopicPartition
from docreactor.agents.log.memory_cluster import MemoryCluster, Session
from docreactor.agents.node import Node
from docreactor.pipeline.errors import FencedError
from docreactor.pipeline.job import JobResult, JobStatus, Mutation
from docreactor.pipeline.position import Offset, Partition, Position
from tests.support.nodes import LOG_ID, Site, counted, done, live, operations, site, total, until
from tests.support.steps import Gate, Steps

ADD = "ADD"


def _add(place: Site, *amounts: int, **fields: Any) -> Mutation:
    return place.job("d1", [(ADD, {"amount": amount}) for amount in amounts], **fields)


async def _created(place: Site) -> None:
    async with place.node() as node:
        assert (await done(node, place.creation("d1"))).error is None


def _next_offset(result: JobResult) -> int:
    return Position.parse(result.token, log_id=LOG_ID).next_offsets[Partition(0)]


def _offset_of(place: Site, action_id: str) -> int:
    """Where an action's operation stands in the log."""
    for record in place.records(place.topics.operations):
        if f'"id":"{action_id}"'.encode() in record.value:
            return int(record.offset)
    raise AssertionError(f"{action_id} is not in the log")


async def _outcomes(node: Node, jobs: Sequence[Mutation]) -> list[JobResult]:
    waits = [live(node).wait_job(job.id, offset=None, until="read", timeout_s=10.0) for job in jobs]
    return list(await asyncio.gather(*waits))


async def test_a_token_is_the_offset_after_the_last_operation_of_its_job() -> None:
    place = site()
    await _created(place)
    jobs = [_add(place, 1), _add(place, 2, 3), _add(place, 4)]
    await place.enqueue(*jobs)
    async with place.node() as node:
        for job, result in zip(jobs, await _outcomes(node, jobs), strict=True):
            assert _next_offset(result) == _offset_of(place, job.actions[-1].id) + 1


async def test_the_view_reaches_every_token() -> None:
    place = site()
    async with place.node() as node:
        result = await done(node, place.creation("d1"))
        for amount in range(1, 6):
            result = await done(node, _add(place, amount))
            wanted = Position.parse(result.token, log_id=LOG_ID)
            assert live(node).view_position().reached(wanted)
            assert live(node).operations_position().reached(wanted)
            assert await total(node, "d1") == sum(range(amount + 1))


async def test_a_job_of_known_actions_answers_with_what_is_there() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        first = await done(node, _add(place, 1, ids=["one"]))
        again = await done(node, _add(place, 1, ids=["one"]))
        assert again.status is JobStatus.READ_READY
        assert _next_offset(again) == _next_offset(first)
        assert len(operations(node, "d1")) == 1


async def test_nothing_shows_before_the_transaction_is_committed() -> None:
    place, gate = site(), Gate("commit")
    async with place.node(gate) as node:
        await done(node, place.creation("d1"))
        before = place.committed()
        gate.shut()
        job = _add(place, 1)
        offset = await node.submit(job)
        await until(lambda: gate.taken[-2:] == ["consumed", "commit"])
        assert place.committed() == before
        assert live(node).job(job.id) is None
        assert operations(node, "d1") == []
        assert place.stores["0/write"].positions()[place.topics.actions] == before
        with pytest.raises(AssertionError):
            _offset_of(place, job.actions[0].id)
        gate.open()
        await live(node).wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        assert place.committed() == offset + 1
        assert len(operations(node, "d1")) == 1


async def test_rows_and_the_positions_that_produced_them_are_written_together() -> None:
    place = site(keyframe_policy="fixed", keyframe_interval=2)
    topics = place.topics
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await done(node, _add(place, 1, 2, 3))
        assert place.records(topics.keyframes)
        positions = place.stores["0/write"].positions()
    for topic in (topics.actions, topics.operations, topics.keyframes, topics.jobs):
        last = place.records(topic)[-1]
        assert positions[topic] == last.offset + 1
    assert {topics.actions, topics.operations, topics.keyframes, topics.jobs} <= set(positions)


async def test_a_refused_batch_leaves_no_record_and_no_offset() -> None:
    place, gate = site(), Gate("open")
    place.limit(place.topics.operations, 2_000)
    async with place.node(gate) as node:
        await done(node, place.creation("d1"))
        before, end = place.committed(), len(place.records(place.topics.operations))
        positions = place.stores["0/write"].positions()
        gate.shut()
        too_large = place.job("d1", [(ADD, {"amount": 1, "note": "x" * 2_000})])
        await place.enqueue(_add(place, 1), too_large)
        # Aborted, and not yet tried again.
        await gate.reached.wait()
        operations_topic = place.cluster.partition(place.source(place.topics.operations))
        everything, _ = operations_topic.read(
            Offset(0), count_max=100, isolation=Isolation.UNCOMMITTED
        )
        assert len(everything) == end
        assert place.committed() == before
        assert place.stores["0/write"].positions() == positions
        gate.open()
        await until(lambda: place.committed() == (before or 0) + 2)


class Forgetful(MemoryCluster):
    """Acknowledges without an offset while it is told to, as a broker may after a retry."""

    forgets = False
    forgotten = 0

    def append(
        self, appends: Mapping[TopicPartition, Sequence[Entry]], session: Session | None
    ) -> Mapping[TopicPartition, Offset]:
        offsets = super().append(appends, session)
        if not self.forgets or session is None:
            return offsets
        self.forgets = False
        self.forgotten += 1
        return dict.fromkeys(offsets, Offset(-1))


async def test_without_the_offset_of_its_operations_a_batch_is_aborted() -> None:
    cluster = Forgetful()
    place = Site(site().settings, cluster=cluster)
    steps = Steps()
    async with place.node(steps) as node:
        await done(node, place.creation("d1"))
        cluster.forgets = True
        job = _add(place, 1)
        await place.enqueue(job)
        # The partition begins a new life and decides the job again.
        await until(lambda: cluster.forgotten and node.local(0) is None)
        await until(node.ready)
        (result,) = await _outcomes(node, [job])
        assert result.error is None
        assert _next_offset(result) == _offset_of(place, job.actions[0].id) + 1
        assert [one.index for one in operations(node, "d1")] == [0]
    assert "aborted" in steps.taken


async def test_to_be_fenced_ends_the_process() -> None:
    place = site()
    with pytest.raises(ExceptionGroup) as caught:
        async with place.node() as node:
            await done(node, place.creation("d1"))
            await place.log().transactor("test-actions-0")
            await node.submit(_add(place, 1))
            await asyncio.sleep(10.0)
    assert caught.group_contains(FencedError)
    assert len(place.records(place.topics.operations)) == 2


async def test_what_was_decided_is_counted() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await done(node, _add(place, 1, 2))
        await done(node, _add(place, 1, expected_revision=0))
        await place.append(b"d1", b"{not a job")
        await until(lambda: counted(node, "dead_letters_total", cause="UndecodableRecord"))
        assert counted(node, "jobs_total", status="WRITE_READY") == 2
        assert counted(node, "jobs_total", status="FAILED") == 1
        assert counted(node, "errors_total", name="RevisionMismatch") == 1
        assert counted(node, "operations_total") == 4
        assert counted(node, "transaction_seconds_count") >= 3


async def test_an_idle_owner_proves_itself_without_writing() -> None:
    place, steps = site(session_timeout_ms=600), Steps()
    async with place.node(steps) as node:
        await done(node, place.creation("d1"))
        end, results = len(place.records(place.topics.operations)), len(steps.taken)
        await until(lambda: steps.taken[results:].count("committed") >= 3)
        assert "send" not in steps.taken[results:]
        assert len(place.records(place.topics.operations)) == end


async def test_a_job_past_its_retention_is_forgotten_and_its_operations_stay() -> None:
    place = site(session_timeout_ms=500)
    async with place.node() as node:
        await done(node, place.creation("d1"))
        of_2022 = "01800000-0000-7000-8000-000000000000-0"
        old = replace(_add(place, 4), id=of_2022)
        await done(node, old)
        young = _add(place, 5)
        await done(node, young)
        await until(lambda: live(node).jobs.get(of_2022) is None)
        assert live(node).jobs.get(young.id) is not None
        assert await total(node, "d1") == 9
