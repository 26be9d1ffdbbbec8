"""Problem documents read back."""

from __future__ import annotations

import pytest

from docreactor.gateway.refusal import error_of
from docreactor.pipeline.errors import (
    DocumentNotFoundError,
    JobNotReadyError,
    ReactorError,
    RevisionMismatchError,
    TooLargeError,
)
from docreactor.pipeline.job import JobResult, JobStatus
from docreactor.pipeline.problem import problem


@pytest.mark.parametrize(
    "error",
    [
        RevisionMismatchError(expected=1, actual=2),
        DocumentNotFoundError("a", "main"),
        TooLargeError("job in bytes", limit=3, actual=4),
    ],
)
def test_an_error_comes_back_as_itself(error: ReactorError) -> None:
    again = error_of(problem(error))

    assert type(again) is type(error)
    assert again.message == error.message
    assert again.facts == error.facts


def test_a_wait_that_ran_out_comes_back_with_its_job() -> None:
    job = JobResult(
        id="j-1",
        document_id="a",
        scope="global",
        branch="main",
        status=JobStatus.RUNNING,
        token="",
        error=None,
        retry_count=0,
        offset=3,
    )

    again = error_of(problem(JobNotReadyError(job, "WRITE_READY")))

    assert isinstance(again, JobNotReadyError)
    assert again.job == job


def test_a_name_from_a_newer_server_is_an_error_all_the_same() -> None:
    again = error_of({"type": "urn:x/SomethingNew", "detail": "new", "status": 418, "a": 1})

    assert type(again) is ReactorError
    assert again.message == "new"
    assert again.facts == {"a": 1, "name": "SomethingNew"}
