"""Batches and cancellations, through the Python client and over a real node."""

from __future__ import annotations

import pytest

from docreactor.gateway.requests import BatchedJob
from docreactor.pipeline.errors import JobCancelledError, JobNotCancellableError
from docreactor.pipeline.job import JobStatus
from tests.gateway.deployment import Running

MILK = {"type": "ADD_ITEM", "input": {"text": "Milk"}}
BREAD = {"type": "ADD_ITEM", "input": {"text": "Bread"}}


async def test_jobs_run_in_the_order_that_they_ask_for(one: Running) -> None:
    await one.create("shop-1")
    await one.create("shop-2")
    first = BatchedJob.model_validate({"key": "a", "document_id": "shop-1", "actions": [MILK]})
    second = {"key": "b", "document_id": "shop-2", "actions": [BREAD], "depends_on": ["a"]}

    batch = await one.reactor.batch([second, first], wait="read")

    assert {key: job.status for key, job in batch.jobs.items()} == {
        "a": JobStatus.READ_READY,
        "b": JobStatus.READ_READY,
    }


async def test_a_job_that_waits_is_taken_back(one: Running) -> None:
    await one.create("shop-1")
    waiting = await one.reactor.submit("shop-1", MILK, depends_on=["nobody-0"])

    cancelled = await one.reactor.cancel(waiting, wait="write")

    assert isinstance(cancelled.failure, JobCancelledError)
    with pytest.raises(JobNotCancellableError):
        await one.reactor.cancel(waiting.id)
