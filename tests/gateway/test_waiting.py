"""Waiting for jobs, through the Python client and over a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from docreactor import Reactor
from docreactor.gateway.answers import Job
from docreactor.pipeline.errors import ClientClosedError, DocumentNotFoundError, JobCancelledError
from docreactor.pipeline.job import JobStatus
from tests.gateway.deployment import Running, several_nodes
from tests.support.nodes import live, until

MILK = {"type": "ADD_ITEM", "input": {"text": "Milk"}}


async def waiting_job(running: Running) -> Job:
    """A job that does not end before it is cancelled."""
    await running.create("shop-1")
    return await running.reactor.submit("shop-1", MILK, depends_on=["nobody-0"])


def waiters(running: Running) -> Callable[[], int]:
    """How many wait at the node for jobs of the document to end."""
    partition = running.node.partition_of("shop-1")
    return lambda: live(running.node, partition).released.waiting


async def test_a_waiter_is_told_of_a_failure_and_raises_nothing(one: Running) -> None:
    job = await one.reactor.submit("nobody", {"type": "A", "input": {}})

    ended = await one.reactor.wait(job)

    assert ended.status is JobStatus.FAILED
    assert isinstance(ended.failure, DocumentNotFoundError)


async def test_whoever_cancels_a_waiter_ends_that_one_alone_and_its_connection() -> None:
    async with several_nodes(1) as (only,):
        job = await waiting_job(only)
        waiting = waiters(only)
        first, second = (asyncio.create_task(only.reactor.wait(job)) for _ in range(2))
        await until(lambda: waiting() == 2)

        first.cancel()
        await asyncio.wait([first])
        await until(lambda: waiting() == 1)
        await only.reactor.cancel(job)
        ended = await second

    assert first.cancelled()
    assert isinstance(ended.failure, JobCancelledError)


async def test_closing_the_client_rejects_every_waiter_by_name() -> None:
    async with several_nodes(1) as (only,):
        job = await waiting_job(only)
        waiting = waiters(only)
        async with Reactor(only.node.url) as reactor:
            tasks = [asyncio.create_task(reactor.wait(job)) for _ in range(3)]
            await until(lambda: waiting() == 3)
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await until(lambda: waiting() == 0)
        still = await only.reactor.job(job.id)

    assert [type(error) for error in ended] == [ClientClosedError] * 3
    assert still.status is JobStatus.PENDING
