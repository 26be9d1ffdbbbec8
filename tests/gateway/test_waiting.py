"""Waiting for jobs, through the Python client and over a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from docreactor import Reactor
from docreactor.gateway.answers import Job
from docreactor.gateway.coordinates import Coordinate
from docreactor.pipeline.errors import (
    ClientClosedError,
    DocumentNotFoundError,
    JobCancelledError,
    NotYetVisibleError,
    UnknownReadModelError,
)
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.position import Partition, Position
from tests.gateway.deployment import Running, several_nodes
from tests.support.nodes import LOG_ID, live, until

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


async def test_a_job_that_stores_nothing_ends_with_a_token_and_is_read(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk")
    known = (await one.reactor.history("shop-1")).operations

    load = await one.reactor.load("shop-1", known, wait="read")
    upgrade = await one.reactor.upgrade("shop-1", 1)

    for job in (load, await one.reactor.wait(upgrade)):
        assert job.status is JobStatus.READ_READY
        assert (await one.reactor.wait_for(job.token)).token == job.token


async def test_reads_are_waited_for_by_tokens_and_by_places(one: Running) -> None:
    await one.create("shop-1")
    job = await one.reactor.submit("shop-1", MILK, wait="write")
    place = Coordinate(document_id="shop-1", operation_index=0)

    by_token = await one.reactor.wait_for([job.token], model="documents")
    by_place = await one.reactor.wait_for(coordinates=place)
    both = await one.reactor.wait_for(job.token, coordinates=[place, place.model_dump()])
    token = await one.reactor.resolve(place)
    document = await one.reactor.get("shop-1", token=token)

    assert by_token.token == job.token
    assert both.token == by_place.token
    assert document.state["global"]["items"] == ["Milk"]
    with pytest.raises(NotYetVisibleError):
        await one.reactor.wait_for(coordinates=place_after(place), timeout_ms=10)
    with pytest.raises(NotYetVisibleError):
        await one.reactor.resolve([place_after(place)], timeout_ms=10)
    with pytest.raises(UnknownReadModelError):
        await one.reactor.wait_for(job.token, model="nobody's")


def place_after(place: Coordinate) -> Coordinate:
    return place.model_copy(update={"operation_index": place.operation_index + 1})


async def test_positions_are_narrowed_and_say_what_is_ready(one: Running) -> None:
    job = await one.reactor.create("example/todo", id="shop-1", wait="read")
    here = one.node.partition_of("shop-1")

    told = await one.reactor.positions(model="documents", partition=here)

    assert [row.name for row in told.positions] == ["documents"]
    token = Position.parse(job.token, log_id=LOG_ID)
    assert told.ready.keys() == {here}
    assert told.ready[here] >= token.next_offsets[Partition(here)]
    assert "documents" in told.required


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
