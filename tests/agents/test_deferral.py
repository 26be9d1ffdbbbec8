"""Jobs that wait: for other jobs, for their document, behind others of their stream."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.agents.node import Node
from docreactor.pipeline.errors import JobNotReadyError
from docreactor.pipeline.job import Cancellation, JobResult, JobStatus, Mutation, decode_job
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.problem import problem_name
from tests.support.nodes import Site, counted, done, live, operations, site, until
from tests.support.steps import Gate
from tests.support.waiting import TurnedClock, Waiting, ended, is_deferred

ADD = "ADD"
TEN_MINUTES_US = 600_000_000
# Of partition 0 out of two.
ONE, OTHER = [name for name in map("d{}".format, range(9)) if partition_for(name, 2) == 0][:2]


def _add(place: Site, document_id: str = ONE, amount: int = 1, **fields: Any) -> Mutation:
    return place.job(document_id, [(ADD, {"amount": amount})], **fields)


def _name(result: JobResult) -> str | None:
    return None if result.error is None else problem_name(result.error)


def _amounts(node: Node, document_id: str = ONE) -> list[int]:
    return [one.action.input["amount"] for one in operations(node, document_id)]


def _left(place: Site) -> int:
    """How many jobs the topic holds as deferred."""
    newest = {record.key: record.value for record in place.records(place.topics.deferred)}
    return sum(value is not None for value in newest.values())


def _results(place: Site, job_id: str) -> int:
    """How often the log tells the job's end."""
    return sum(record.key == job_id.encode() for record in place.records(place.topics.jobs))


async def test_a_job_waits_until_a_job_of_another_partition_has_ended() -> None:
    waiting = Waiting(place := site(partitions=2))
    async with place.node() as node:
        await done(node, place.creation(ONE))
        dependency = waiting.mint(partition=1)
        job = _add(place, depends_on=(dependency,))
        await node.submit(job)
        await is_deferred(node, job.id)
        assert _amounts(node) == []
        await waiting.end(dependency)
        (result,) = await ended(node, job.id)
        assert result.error is None
        assert _amounts(node) == [1]
    assert _left(place) == 0


async def test_a_job_whose_dependency_has_ended_already_is_not_left_waiting() -> None:
    waiting = Waiting(place := site(partitions=2))
    async with place.node() as node:
        await done(node, place.creation(ONE))
        dependency = waiting.mint(partition=1)
        await waiting.end(dependency)
        job = _add(place, depends_on=(dependency,))
        await node.submit(job)
        (result,) = await ended(node, job.id)
        assert result.error is None


async def test_a_dependency_in_the_same_batch_or_partition_holds_nothing_up() -> None:
    place = site()
    first = _add(place, "d1")
    second = _add(place, "d2", depends_on=(first.id,))
    await place.enqueue(place.creation("d1"), place.creation("d2"), first, second)
    async with place.node() as node:
        await ended(node, first.id, second.id)
        third = _add(place, "d2", depends_on=(second.id,))
        assert (await done(node, third)).error is None
    assert place.records(place.topics.deferred) == []


async def test_a_dependency_that_comes_later_in_the_partition_releases() -> None:
    place = site()
    first, second = _add(place, "d1"), _add(place, "d2")
    first = _add(place, "d1", depends_on=(second.id,))
    await place.enqueue(place.creation("d1"), place.creation("d2"), first, second)
    async with place.node() as node:
        results = await ended(node, first.id, second.id)
        assert [_name(result) for result in results] == [None, None]
    kinds = [record.value is None for record in place.records(place.topics.deferred)]
    assert kinds == [False, True]


async def test_a_deferred_head_holds_later_jobs_of_its_stream_and_nothing_else() -> None:
    waiting = Waiting(place := site(partitions=2))
    async with place.node() as node:
        for document_id in (ONE, OTHER):
            await done(node, place.creation(document_id))
        dependency = waiting.mint()
        head = _add(place, amount=1, depends_on=(dependency,))
        behind = [_add(place, amount=2), _add(place, amount=3)]
        for job in (head, *behind):
            await node.submit(job)
        assert (await done(node, _add(place, OTHER, amount=9))).error is None
        beside = place.job(ONE, [(ADD, {"amount": 8})], scope="local")
        assert (await done(node, beside)).error is None
        await is_deferred(node, head.id, *(job.id for job in behind))
        assert _amounts(node) == []
        await waiting.end(dependency)
        await ended(node, *(job.id for job in behind))
        assert _amounts(node) == [1, 2, 3]
        assert (await done(node, _add(place, amount=4))).error is None
    assert _left(place) == 0


async def test_the_jobs_of_a_stream_that_were_deferred_run_in_one_transaction() -> None:
    waiting, gate = Waiting(place := site(partitions=2)), Gate("send")
    async with place.node(gate) as node:
        await done(node, place.creation(ONE))
        dependency = waiting.mint()
        jobs = [_add(place, amount=n, depends_on=(dependency,)) for n in (1, 2, 3)]
        for job in jobs:
            await node.submit(job)
        await is_deferred(node, *(job.id for job in jobs))
        sent = gate.taken.count("send")
        await waiting.end(dependency)
        await ended(node, *(job.id for job in jobs))
        assert gate.taken.count("send") == sent + 1
    offsets = [record.offset for record in place.records(place.topics.jobs)[-3:]]
    assert offsets == list(range(offsets[0], offsets[0] + 3))


async def test_more_deferred_jobs_than_a_batch_takes_run_batch_by_batch_in_their_order() -> None:
    waiting = Waiting(place := site(partitions=2, batch_jobs_max=2))
    async with place.node() as node:
        await done(node, place.creation(ONE))
        dependency = waiting.mint()
        jobs = [_add(place, amount=n, depends_on=(dependency,)) for n in range(7)]
        for job in jobs:
            await node.submit(job)
        await is_deferred(node, *(job.id for job in jobs))
        await waiting.end(dependency)
        await ended(node, *(job.id for job in jobs))
        assert _amounts(node) == list(range(7))
    assert _left(place) == 0


async def test_a_failed_dependency_releases_those_that_wait_for_it() -> None:
    place = site()
    failing = _add(place, "nobody")
    dependent = _add(place, "d1", depends_on=(failing.id,))
    await place.enqueue(place.creation("d1"), dependent, failing)
    async with place.node() as node:
        failed, result = await ended(node, failing.id, dependent.id)
        assert _name(failed) == "DocumentNotFound"
        assert result.error is None
        assert _amounts(node, "d1") == [1]


async def test_a_mutation_of_nothing_is_not_deferred() -> None:
    place = site()
    async with place.node() as node:
        assert _name(await done(node, _add(place, "nobody"))) == "DocumentNotFound"
    assert place.records(place.topics.deferred) == []


async def test_a_load_waits_for_its_document_and_runs_when_that_is_loaded() -> None:
    waiting = Waiting(place := site())
    async with place.node() as node:
        load = waiting.load("d1", [(ADD, {"amount": 5})])
        await node.submit(load)
        await is_deferred(node, load.id)
        later = waiting.load("d1", [(ADD, {"amount": 6})])
        await node.submit(later)
        await is_deferred(node, later.id)
        assert (await done(node, waiting.creating("d1"))).error is None
        results = await ended(node, load.id, later.id)
        assert [_name(result) for result in results] == [None, None]
        await until(lambda: _amounts(node, "d1") == [5, 6])
        assert (await done(node, _add(place, "d1", amount=7))).error is None
    assert _left(place) == 0


async def test_a_load_of_the_documents_own_stream_lets_its_creation_pass() -> None:
    waiting = Waiting(place := site())
    edge = {"source_id": "d1", "target_id": "d2", "relationship_type": "child"}
    async with place.node() as node:
        early = waiting.load("d1", [("ADD_RELATIONSHIP", edge)], scope="document")
        await node.submit(early)
        await is_deferred(node, early.id)
        assert (await done(node, place.creation("d1"))).error is None
        (result,) = await ended(node, early.id)
        assert result.error is None
        kinds = {one.action.type for one in operations(node, "d1", "document")}
        assert kinds == {"CREATE_DOCUMENT", "UPGRADE_DOCUMENT", "ADD_RELATIONSHIP"}
    assert _left(place) == 0


async def test_a_load_and_its_documents_creation_in_one_batch_both_stand() -> None:
    waiting = Waiting(place := site())
    load, creation = waiting.load("d1", [(ADD, {"amount": 5})]), waiting.creating("d1")
    after = _add(place, "d1", amount=7)
    await place.enqueue(load, creation, after)
    async with place.node() as node:
        results = await ended(node, load.id, creation.id, after.id)
        assert [_name(result) for result in results] == [None, None, None]
        await until(lambda: sorted(_amounts(node, "d1")) == [5, 7])


async def test_what_does_not_come_in_time_fails_its_job_and_releases_those_behind() -> None:
    waiting, clock = Waiting(place := site(partitions=2)), TurnedClock()
    async with place.node(clock=clock) as node:
        await done(node, place.creation(ONE))
        job = _add(place, amount=1, depends_on=(waiting.mint(),))
        behind = _add(place, amount=2)
        dependent = _add(place, OTHER, depends_on=(job.id,))
        load = waiting.load(OTHER, [(ADD, {"amount": 5})])
        for one in (job, behind, dependent, load):
            await node.submit(one)
        await is_deferred(node, job.id, behind.id, dependent.id, load.id)
        clock.ahead_us = TEN_MINUTES_US - 60_000_000
        assert (
            await done(node, place.job(ONE, [(ADD, {"amount": 3})], scope="local"))
        ).error is None
        assert _left(place) == 4
        clock.ahead_us = TEN_MINUTES_US
        late, freed, also, lost = await ended(node, job.id, behind.id, dependent.id, load.id)
        assert _name(late) == _name(lost) == "DependencyTimeout"
        assert late.error is not None and late.error["status"] == 504
        assert late.error["waits_for"] == list(job.depends_on)
        assert lost.error is not None and lost.error["waits_for"] == [f"document {OTHER} on main"]
        assert freed.error is None
        assert _name(also) == "DocumentNotFound"
        assert _amounts(node) == [2]
    assert _left(place) == 0


async def test_deferred_jobs_stay_deferred_over_a_stop_and_run_after_it() -> None:
    waiting = Waiting(place := site(partitions=2))
    dependency = waiting.mint()
    jobs = [_add(place, amount=1, depends_on=(dependency,)), _add(place, amount=2)]
    async with place.node() as node:
        await done(node, place.creation(ONE))
        for job in jobs:
            await node.submit(job)
        await is_deferred(node, *(job.id for job in jobs))
    assert [_results(place, job.id) for job in jobs] == [0, 0]
    await waiting.end(dependency)
    async with place.node() as node:
        await ended(node, *(job.id for job in jobs))
        assert _amounts(node) == [1, 2]
    assert [_results(place, job.id) for job in jobs] == [1, 1]
    assert _left(place) == 0


async def test_a_node_without_tables_reads_what_is_deferred_from_the_log() -> None:
    waiting = Waiting(place := site(partitions=2))
    dependency = waiting.mint()
    job = _add(place, depends_on=(dependency,))
    async with place.node() as node:
        await done(node, place.creation(ONE))
        await node.submit(job)
        await is_deferred(node, job.id)
    async with place.node(open_store=place.disk("another")) as node:
        await is_deferred(node, job.id)
        await waiting.end(dependency)
        await ended(node, job.id)
        assert _amounts(node) == [1]
    async with place.node(open_store=place.disk("a third")) as node:
        assert list(live(node).deferred.every()) == []


async def test_a_deferred_job_is_pending_and_known_and_can_be_awaited() -> None:
    waiting = Waiting(place := site(partitions=2))
    async with place.node() as node:
        await done(node, place.creation(ONE))
        dependency = waiting.mint()
        job = _add(place, depends_on=(dependency,))
        offset = await node.submit(job)
        await is_deferred(node, job.id)
        partition = live(node)
        shown = await partition.wait_job(job.id, offset=None, until=None, timeout_s=0)
        assert (shown.status, shown.document_id, shown.offset) == (JobStatus.PENDING, ONE, offset)
        assert (shown.scope, shown.branch, shown.token) == ("global", "main", "")
        with pytest.raises(JobNotReadyError) as caught:
            await partition.wait_job(job.id, offset=offset, until="write", timeout_s=0.01)
        assert caught.value.job == shown
        await waiting.end(dependency)
        result = await partition.wait_job(job.id, offset=offset, until="read", timeout_s=10)
        assert result.status is JobStatus.READ_READY
        assert result.offset == offset


async def test_a_job_of_the_batch_that_is_worked_on_is_running() -> None:
    place, gate = site(), Gate("send")
    async with place.node(gate) as node:
        await done(node, place.creation("d1"))
        gate.shut()
        job = _add(place, "d1")
        await node.submit(job)
        await gate.reached.wait()
        shown = await live(node).wait_job(job.id, offset=None, until=None, timeout_s=0)
        assert (shown.status, shown.document_id) == (JobStatus.RUNNING, "d1")
        gate.open()
        (result,) = await ended(node, job.id)
        assert result.error is None


async def test_a_deferred_job_is_cancelled_and_those_that_waited_for_it_go_on() -> None:
    waiting = Waiting(place := site(partitions=2))
    async with place.node() as node:
        await done(node, place.creation(ONE))
        await done(node, place.creation(OTHER))
        job = _add(place, amount=1, depends_on=(waiting.mint(),))
        behind, dependent = _add(place, amount=2), _add(place, OTHER, depends_on=(job.id,))
        for one in (job, behind, dependent):
            await node.submit(one)
        await is_deferred(node, job.id, behind.id, dependent.id)
        await node.submit(Cancellation(id="c1-0", document_id=ONE, job_id=job.id))
        cancelled, freed, also, order = await ended(node, job.id, behind.id, dependent.id, "c1-0")
        assert _name(cancelled) == "JobCancelled"
        assert cancelled.offset is not None and order.offset is not None
        assert [freed.error, also.error, order.error] == [None, None, None]
        assert (order.document_id, order.scope, order.branch) == (ONE, None, None)
        assert _amounts(node) == [2]
    assert _left(place) == 0


async def test_a_job_is_cancelled_in_the_batch_that_would_have_deferred_it() -> None:
    waiting = Waiting(place := site(partitions=2))
    job = _add(place, depends_on=(waiting.mint(),))
    cancellation = Cancellation(id="c1-0", document_id=ONE, job_id=job.id)
    await place.enqueue(place.creation(ONE), job, cancellation)
    async with place.node() as node:
        (result,) = await ended(node, job.id)
        assert _name(result) == "JobCancelled"
    assert place.records(place.topics.deferred) == []
    assert _results(place, job.id) == 1


async def test_a_cancellation_in_the_name_of_another_document_cancels_nothing() -> None:
    waiting = Waiting(place := site(partitions=2))
    async with place.node() as node:
        await done(node, place.creation(ONE))
        job = _add(place, depends_on=(waiting.mint(),))
        await node.submit(job)
        await is_deferred(node, job.id)
        # As only a record that came past a gateway can say.
        await place.enqueue(Cancellation(id="c1-0", document_id="another", job_id=job.id))
        (result,) = await ended(node, "c1-0")
        assert _name(result) == "JobNotCancellable"
        await is_deferred(node, job.id)


async def test_what_has_ended_or_never_was_is_not_cancelled() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        job = _add(place, "d1")
        await done(node, job)
        for at, job_id in enumerate((job.id, "nobody-0")):
            cancellation = Cancellation(id=f"c{at}-0", document_id="d1", job_id=job_id)
            await node.submit(cancellation)
            (result,) = await ended(node, cancellation.id)
            assert _name(result) == "JobNotCancellable"
        assert live(node).job("nobody-0") is None
    assert _results(place, job.id) == 1


async def test_jobs_of_one_document_are_decided_in_their_order_whatever_their_scope() -> None:
    place = site()
    jobs = [
        place.job("d1", [(ADD, {"amount": n})], scope=scope)
        for n, scope in enumerate(["global", "local"] * 5)
    ]
    await place.enqueue(place.creation("d1"), *jobs)
    async with place.node() as node:
        await ended(node, *(job.id for job in jobs))
    stored = [record.key.split(b"/")[1] for record in place.records(place.topics.operations)]
    assert stored == [b"document"] * 2 + [b"global", b"local"] * 5


async def test_partitions_are_decided_beside_each_other() -> None:
    place = site(partitions=2)
    there = next(name for name in map("d{}".format, range(9)) if partition_for(name, 2) == 1)
    held = place.source(place.topics.operations, 0)
    reached: list[bool] = []

    async def hook(step: str) -> None:
        if step == "sent" and place.cluster.partition(held).end and not reached:
            # The first partition's transaction is open: the other one's goes through meanwhile.
            reached.append(True)
            async_job = _add(place, there)
            await node.submit(async_job)
            partition = node.local(1)
            assert partition is not None
            waited = await partition.wait_job(async_job.id, offset=None, until="write", timeout_s=5)
            reached.append(waited.error is None)

    async with place.node(hook) as node:
        await node.submit(place.creation(there))
        await until(lambda: node.local(1) and live(node, 1).written.next_offset)
        await node.submit(place.creation(ONE))
        await until(lambda: len(reached) == 2)
    assert reached == [True, True]


async def test_no_more_jobs_wait_than_may() -> None:
    waiting = Waiting(place := site(partitions=2, deferred_jobs_max=2))
    first, second, late = (waiting.mint() for _ in range(3))
    kept = [_add(place, depends_on=(first,)), _add(place, amount=2)]
    refused = [_add(place, OTHER, depends_on=(second,)), _add(place, amount=3)]
    async with place.node() as node:
        await done(node, place.creation(ONE))
        await done(node, place.creation(OTHER))
        await place.enqueue(*kept, *refused)
        for result in await ended(node, *(job.id for job in refused)):
            assert result.error is not None
            assert (_name(result), result.error["status"]) == ("TooManyDeferred", 429)
            assert (result.error["count"], result.error["max"]) == (2, 2)
        await is_deferred(node, *(job.id for job in kept))
        assert counted(node, "deferred_jobs", partition="0") == 2

        await waiting.end(first)
        assert [one.error for one in await ended(node, *(job.id for job in kept))] == [None, None]
        assert _amounts(node) == [1, 2]
        await until(lambda: counted(node, "deferred_jobs", partition="0") == 0)

        again = [_add(place, OTHER, depends_on=(late,)), _add(place, OTHER)]
        await place.enqueue(*again)
        await is_deferred(node, *(job.id for job in again))
    assert _left(place) == 2


async def test_a_load_that_may_not_wait_goes_to_the_dead_letters() -> None:
    waiting = Waiting(place := site(deferred_jobs_max=1))
    kept, refused = (waiting.load("nowhere", [(ADD, {"amount": at})]) for at in range(2))
    async with place.node() as node:
        await place.enqueue(kept, refused)
        (result,) = await ended(node, refused.id)
        assert _name(result) == "TooManyDeferred"
        await is_deferred(node, kept.id)
    (letter,) = place.records(place.topics.dead_letters)
    assert dict(letter.headers)["cause"] == b"TooManyDeferred"
    assert decode_job(letter.value).id == refused.id


async def test_jobs_that_wait_already_may_go_on_waiting_when_fewer_may() -> None:
    waiting = Waiting(place := site(partitions=2))
    dependency = waiting.mint()
    jobs = [_add(place, depends_on=(dependency,)), _add(place, amount=2)]
    async with place.node() as node:
        await done(node, place.creation(ONE))
        await place.enqueue(*jobs)
        await is_deferred(node, *(job.id for job in jobs))
    place.settings = place.settings.model_copy(update={"deferred_jobs_max": 0})
    async with place.node() as node:
        await is_deferred(node, *(job.id for job in jobs))
        await waiting.end(dependency)
        assert [one.error for one in await ended(node, *(job.id for job in jobs))] == [None, None]
