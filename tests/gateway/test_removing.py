"""The calls of the Python client that remove documents, over a real node."""

from __future__ import annotations

import pytest

from docreactor.pipeline.errors import (
    DocumentDeletedError,
    DocumentErasedError,
    DocumentNotFoundError,
)
from docreactor.pipeline.job import JobStatus
from tests.gateway.deployment import TODO_TYPE, Running
from tests.gateway.routes.test_edges import related


async def test_a_deletion_takes_the_document_alone_unless_told_otherwise(one: Running) -> None:
    token = await related(one, "a cites b")
    job = await one.reactor.delete("a", wait="read")

    assert (job.status, job.jobs, job.failures) == (JobStatus.READ_READY, [], [])
    assert await one.reactor.has_relationship("a", "b", token=[token, job.token])


async def test_it_takes_edges_or_children_as_a_token_shows_them(one: Running) -> None:
    calls = one.reactor
    await one.create("a")
    child = await calls.create(TODO_TYPE, parent="a", wait="write")
    job = await calls.delete("a", cascade="children", token=child.token, wait="read")

    assert len(job.jobs) == 2
    assert job.status is JobStatus.READ_READY
    with pytest.raises(DocumentDeletedError):
        await calls.get(str(child.document_id), token=job.token)


async def test_jobs_that_failed_with_it_are_told_with_their_errors(one: Running) -> None:
    calls = one.reactor
    await one.create("a")
    await related(one, "x cites a")
    token = (await calls.delete("x", wait="read")).token
    job = await calls.delete("a", cascade="edges", token=token, wait="read")

    (failed,) = job.failures
    assert (failed.document_id, failed.id) == ("x", job.jobs[0])
    assert isinstance(failed.failure, DocumentDeletedError)


async def test_what_cannot_be_deleted_is_raised_by_name(one: Running) -> None:
    with pytest.raises(DocumentNotFoundError):
        await one.reactor.delete("nobody", cascade="edges")
    with pytest.raises(DocumentNotFoundError):
        await one.reactor.delete("nobody", wait="write")


async def test_an_erased_document_is_gone_for_ever(one: Running) -> None:
    await one.create("a")
    await one.reactor.erase("a", wait="read")

    with pytest.raises(DocumentErasedError):
        await one.reactor.history("a")
