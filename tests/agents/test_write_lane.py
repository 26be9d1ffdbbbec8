"""What the place keeps from being decided is tried again, and says nothing about the job."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

import pytest

from docreactor.agents.node import Node
from docreactor.pipeline.errors import StoreFailedError
from docreactor.pipeline.job import JobResult, JobStatus, Mutation
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.problem import problem_name
from tests.agents.test_lanes import fatal
from tests.support.failing import FailingStore
from tests.support.nodes import Site, done, live, operations, site, until
from tests.support.waiting import Waiting, ended, is_deferred

ADD = "ADD"
FOREVER = 1_000_000


def _place(**settings: Any) -> tuple[Site, FailingStore]:
    """A site whose reducer's disk may fail; retries come at once unless told otherwise."""
    quick: dict[str, Any] = {"retry_backoff_first_ms": 1, "retry_backoff_max_ms": 1}
    place, store = site(**quick | settings), FailingStore()
    place.stores["0/write"] = store
    return place, store


def _add(place: Site, document_id: str = "d1", amount: int = 1, **fields: Any) -> Mutation:
    return place.job(document_id, [(ADD, {"amount": amount})], **fields)


def _amounts(node: Node, document_id: str = "d1") -> list[int]:
    return [one.action.input["amount"] for one in operations(node, document_id)]


async def test_a_job_is_tried_again_until_it_is_decided_and_says_how_often() -> None:
    place, store = _place()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        store.failures = 3
        result = await done(node, _add(place))
        assert (result.status, result.retry_count) == (JobStatus.READ_READY, 3)
        assert (await done(node, _add(place))).retry_count == 0
        assert _amounts(node) == [1, 1]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (lambda: StoreFailedError("torn"), "StoreFailed: torn"),
        (lambda: OSError(5, "no disk"), "OSError: [Errno 5] no disk"),
    ],
    ids=["store", "system"],
)
async def test_a_job_that_cannot_be_decided_fails_with_every_attempt(error: Any, told: str) -> None:
    place, store = _place(retries_max=3)
    async with place.node() as node:
        await done(node, place.creation("d1"))
        store.error, store.failures = error, 4
        result = await done(node, _add(place))
        assert result.status is JobStatus.FAILED
        assert result.retry_count == 3
        assert result.error is not None
        assert problem_name(result.error) == "StoreFailed"
        assert result.error["attempts"] == [told] * 4
        assert (await done(node, _add(place, amount=2))).error is None
        assert _amounts(node) == [2]


async def test_of_a_batch_only_the_job_that_cannot_be_decided_fails() -> None:
    place, store = _place(retries_max=1)
    async with place.node() as node:
        for document_id in ("d1", "d2"):
            await done(node, place.creation(document_id))
    jobs = [_add(place, "d1"), _add(place, "d2"), _add(place, "d1", 2), _add(place, "d2", 2)]
    await place.enqueue(*jobs)
    store.concerns, store.failures = lambda key: b"/d2/" in key, FOREVER
    async with place.node() as node:
        results = await ended(node, *(job.id for job in jobs))
        failed = [result.document_id for result in results if result.error is not None]
        assert failed == ["d2", "d2"]
        assert [len(_attempts(result)) for result in results] == [0, 2, 0, 2]
        assert _amounts(node) == [1, 2]


def _attempts(result: JobResult) -> list[str]:
    return [] if result.error is None else result.error["attempts"]


async def test_a_stop_ends_the_wait_and_leaves_the_job_to_the_next_owner() -> None:
    place, store = _place(retry_backoff_first_ms=60_000, retry_backoff_max_ms=60_000)
    async with place.node() as node:
        await done(node, place.creation("d1"))
        consumed = place.committed()
        store.failures, store.looks = 1, 0
        job = _add(place)
        await node.submit(job)
        await until(lambda: store.looks)
        shown = await live(node).wait_job(job.id, offset=None, until=None, timeout_s=0)
        assert shown.status is JobStatus.RUNNING
        since = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - since < 10
    assert place.committed() == consumed
    async with place.node() as node:
        (result,) = await ended(node, job.id)
        assert (result.error, result.retry_count) == (None, 0)
        assert _amounts(node) == [1]


async def test_a_lease_is_held_while_a_job_waits_to_be_tried_again() -> None:
    place, store = _place(
        retry_backoff_first_ms=1_500, retry_backoff_max_ms=1_500, session_timeout_ms=1_000
    )
    async with place.node() as node:
        await done(node, place.creation("d1"))
        store.failures, store.looks = 1, 0
        partition = live(node)
        job = _add(place)
        await node.submit(job)
        while (result := partition.job(job.id)) is None:
            assert node.local(0) is partition
            await asyncio.sleep(0)
        assert result.retry_count == 1


async def test_a_lease_is_held_while_many_operations_are_decided() -> None:
    slow = DocumentModel("test/slow", state=dict)

    @slow.action(type=ADD)
    def add(state: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        ends_at = perf_counter() + 0.005
        while perf_counter() < ends_at:
            pass
        return given

    place = site(session_timeout_ms=1_000)
    place.models = [slow]
    async with place.node() as node:
        await done(node, place.creation("d1", model="test/slow"))
        partition = live(node)
        load = Waiting(place).load("d1", [(ADD, {"amount": at}) for at in range(300)])
        await node.submit(load)
        while (result := partition.job(load.id)) is None:
            assert node.local(0) is partition
            await asyncio.sleep(0.001)
        assert result.error is None


async def test_a_deferred_job_is_tried_again_too() -> None:
    place, store = _place(retries_max=2)
    waiting = Waiting(place)
    async with place.node() as node:
        load = waiting.load("d1", [(ADD, {"amount": 5})])
        behind = waiting.load("d1", [(ADD, {"amount": 6})])
        await node.submit(load)
        await node.submit(behind)
        await is_deferred(node, load.id, behind.id)
        # Twice for both together and the first alone; then it goes through.
        store.concerns = lambda key: b"/l1-0" in key
        store.failures = 2
        await node.submit(place.creation("d1"))
        first, second = await ended(node, load.id, behind.id)
        assert (first.error, first.retry_count) == (None, 1)
        assert (second.error, second.retry_count) == (None, 0)
        assert _amounts(node) == [5, 6]
    newest = {one.key: one.value for one in place.records(place.topics.deferred)}
    assert set(newest.values()) == {None}


async def test_a_deferred_job_that_cannot_be_decided_fails_once_and_frees_its_stream() -> None:
    place, store = _place(retries_max=1)
    waiting = Waiting(place)
    async with place.node() as node:
        load = waiting.load("d1", [(ADD, {"amount": 5})])
        behind = waiting.load("d1", [(ADD, {"amount": 6})])
        await node.submit(load)
        await node.submit(behind)
        await is_deferred(node, load.id, behind.id)
        store.concerns, store.failures = lambda key: b"/l1-0" in key, FOREVER
        await node.submit(place.creation("d1"))
        first, second = await ended(node, load.id, behind.id)
        assert len(_attempts(first)) == 2
        assert second.error is None
        assert _amounts(node) == [6]
    assert sum(one.key == load.id.encode() for one in place.records(place.topics.jobs)) == 1


async def test_a_deferred_job_that_ends_its_worker_is_found_and_set_aside() -> None:
    place = site(partitions=2)
    place.models = (fatal,)
    waiting = Waiting(place)
    dependency = waiting.mint(partition=1)
    document = next(name for name in map("d{}".format, range(9)) if partition_for(name, 2) == 0)
    lethal = place.job(document, [("ACT", {"how": "kill"})], depends_on=(dependency,))
    behind = place.job(document, [("ACT", {})])
    async with place.node() as node:
        await done(node, place.creation(document, model="test/fatal"))
        await node.submit(lethal)
        await node.submit(behind)
        await is_deferred(node, lethal.id, behind.id)
    await waiting.end(dependency)
    # Twice with its batch, then alone; each time before anything new is consumed.
    for _ in range(3):
        with pytest.raises(BaseExceptionGroup) as caught:
            async with place.node(ready=False):
                await asyncio.get_running_loop().create_future()
        assert caught.group_contains(MemoryError)
    async with place.node() as node:
        killer, freed = await ended(node, lethal.id, behind.id)
        assert killer.error is not None
        assert problem_name(killer.error) == "WorkerKilled"
        assert freed.error is None
        assert (await done(node, place.job(document, [("ACT", {})]))).error is None
    (letter,) = place.records(place.topics.dead_letters)
    assert dict(letter.headers)["source-offset"] == str(killer.offset).encode()
