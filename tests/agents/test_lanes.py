"""A running partition: batches, refusals, jobs that end their worker."""

import asyncio
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel

from docreactor.agents.log import Entry
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.node import Node
from docreactor.pipeline.job import JobResult, JobStatus
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.problem import problem_name
from docreactor.pipeline.state import State
from docreactor.pipeline.topics import TopicDeclaration
from tests.support.kafka import Kafka
from tests.support.nodes import Site, counted, done, live, operations, site, total, until
from tests.support.steps import Steps

ADD = "ADD"


def _error(result: JobResult) -> str:
    assert result.status is JobStatus.FAILED
    assert result.error is not None
    return problem_name(result.error)


class Given(BaseModel):
    """What the fatal model is told to do."""

    how: str = ""
    text: str = ""


class Fatal(State):
    """How many actions it survived."""

    count: int = 0


fatal = DocumentModel("test/fatal", state=Fatal)


@fatal.action
def act(state: Fatal, input: Given) -> Fatal:
    if input.how == "kill":
        raise MemoryError("the worker ends here")
    return state.replace(count=state.count + 1)


def _fatal_site() -> Site:
    place = site()
    place.models = (fatal,)
    return place


async def _created(place: Site, *document_ids: str, model: str = "test/ledger") -> None:
    async with place.node() as node:
        for document_id in document_ids:
            result = await done(node, place.creation(document_id, model=model))
            assert result.error is None


async def _outcomes(node: Node, *job_ids: str) -> list[JobResult]:
    waits = [
        live(node).wait_job(job_id, offset=None, until="read", timeout_s=10.0) for job_id in job_ids
    ]
    return list(await asyncio.gather(*waits))


async def test_what_waits_together_is_committed_together() -> None:
    place = site()
    await _created(place, "d1", "d2")
    jobs = [place.job(f"d{at % 2 + 1}", [(ADD, {"amount": at})]) for at in range(20)]
    await place.enqueue(*jobs)
    steps = Steps()
    async with place.node(steps) as node:
        await _outcomes(node, *(job.id for job in jobs))
    assert steps.taken.count("send") == 1


async def test_a_batch_takes_no_more_jobs_than_it_may() -> None:
    place = site(batch_jobs_max=5)
    await _created(place, "d1")
    jobs = [place.job("d1", [(ADD, {"amount": at})]) for at in range(12)]
    await place.enqueue(*jobs)
    steps = Steps()
    async with place.node(steps) as node:
        await _outcomes(node, *(job.id for job in jobs))
        assert await total(node, "d1") == sum(range(12))
    assert steps.taken.count("send") == 3


async def test_of_a_refused_batch_only_the_job_that_does_not_fit_fails() -> None:
    place = _fatal_site()
    await _created(place, "d1", model="test/fatal")
    place.limit(place.topics.operations, 2_000)
    fits: list[tuple[str, Any]] = [("ACT", {})]
    too_large: list[tuple[str, Any]] = [("ACT", {"text": "x" * 3_000})]
    jobs = [place.job("d1", each) for each in (fits, too_large, fits)]
    await place.enqueue(*jobs)
    async with place.node() as node:
        results = await _outcomes(node, *(job.id for job in jobs))
        assert [one.error is None for one in results] == [True, False, True]
        assert _error(results[1]) == "TooLarge"
        assert results[1].error is not None
        assert results[1].error["limit"] == 2_000
        assert [one.action.id for one in operations(node, "d1")] == [
            jobs[0].actions[0].id,
            jobs[2].actions[0].id,
        ]
        (letter,) = place.records(place.topics.dead_letters)
        assert letter.key == b"d1"
        assert dict(letter.headers)["cause"] == b"TooLarge"
        assert counted(node, "dead_letters_total", cause="TooLarge") == 1
    assert place.committed() == place.records(place.topics.actions)[-1].offset + 1


async def test_a_job_that_is_refused_alone_does_not_hold_up_the_next() -> None:
    place = _fatal_site()
    place.limit(place.topics.operations, 2_000)
    async with place.node() as node:
        assert (await done(node, place.creation("d1", model="test/fatal"))).error is None
        too_large = place.job("d1", [("ACT", {"text": "x" * 3_000})])
        assert _error(await done(node, too_large)) == "TooLarge"
        assert (await done(node, place.job("d1", [("ACT", {})]))).error is None
        assert len(operations(node, "d1")) == 1


async def _die(place: Site) -> None:
    """One process, until it is ended."""
    with pytest.raises(BaseExceptionGroup) as caught:
        async with place.node(ready=False):
            await asyncio.sleep(10.0)
    assert caught.group_contains(MemoryError)


async def test_a_job_that_ends_its_worker_is_found_and_set_aside() -> None:
    place = _fatal_site()
    await _created(place, "d1", model="test/fatal")
    lethal: list[tuple[str, Any]] = [("ACT", {"how": "kill"})]
    harmless: list[tuple[str, Any]] = [("ACT", {})]
    jobs = [place.job("d1", each) for each in (harmless, lethal, harmless)]
    await place.enqueue(*jobs)
    # Twice with its batch, then alone.
    for _ in range(3):
        await _die(place)
    async with place.node() as node:
        results = await _outcomes(node, *(job.id for job in jobs))
        assert [one.error is None for one in results] == [True, False, True]
        assert _error(results[1]) == "WorkerKilled"
        assert len(operations(node, "d1")) == 2
        (letter,) = place.records(place.topics.dead_letters)
        assert dict(letter.headers)["cause"] == b"WorkerKilled"
        assert (await done(node, place.job("d1", harmless))).error is None


async def test_a_position_moves_over_what_nobody_will_ever_see() -> None:
    # The offset is committed when the lease is renewed, every sixth of the session.
    place = site(session_timeout_ms=600)
    async with place.node() as node:
        transactor = await place.log().transactor("another")
        actions = place.source(place.topics.actions)
        with pytest.raises(RuntimeError, match="given up"):
            async with transactor.transaction() as transaction:
                await transaction.send({actions: [Entry(b"d1", b"{}")]})
                raise RuntimeError("given up")
        await until(lambda: live(node).consumed.next_offset == 2)
        await until(lambda: place.committed() == 2)
    assert place.records(place.topics.dead_letters) == []


async def test_a_real_kafka_refuses_one_job_and_takes_its_neighbours(
    kafka: Kafka, app: str
) -> None:
    place = site(app=app)
    place.models = (fatal,)
    async with open_kafka(place.settings, kafka.bootstrap_servers, wait_s=10) as log:
        await log.create(_with_small_operations(place))
        async with place.node(log=log) as node:
            assert (await done(node, place.creation("d1", model="test/fatal"))).error is None
            # Nothing that a codec could make smaller.
            text = Random(1).randbytes(20_000).hex()
            inputs: list[dict[str, str]] = [{}, {"text": text}, {}]
            jobs = [place.job("d1", [("ACT", each)]) for each in inputs]
            results = await asyncio.gather(*(done(node, job) for job in jobs))
            assert [one.error is None for one in results] == [True, False, True]
            assert _error(results[1]) == "TooLarge"
            assert len(operations(node, "d1")) == 2
            assert counted(node, "dead_letters_total", cause="TooLarge") == 1
            # The same life went on.
            assert node.positions()[0]["epoch"] == 1


def _with_small_operations(place: Site) -> list[TopicDeclaration]:
    place.limit(place.topics.operations, 10_000)
    return list(place.cluster.topics.values())
