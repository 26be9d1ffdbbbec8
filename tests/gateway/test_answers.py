"""What callers get."""

from __future__ import annotations

from docreactor.gateway.answers import Job
from docreactor.pipeline.errors import RevisionMismatchError
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.problem import problem

JOB = {
    "id": "j-1",
    "document_id": "a",
    "scope": "global",
    "branch": "main",
    "status": "FAILED",
    "token": "",
    "error": problem(RevisionMismatchError(expected=1, actual=2)),
    "retry_count": 0,
    "offset": 3,
}


def test_a_failed_job_tells_its_error() -> None:
    job = Job.model_validate(JOB)

    assert job.status is JobStatus.FAILED
    assert isinstance(job.failure, RevisionMismatchError)
    assert Job.model_validate(JOB | {"error": None}).failure is None


def test_a_field_of_a_newer_server_does_no_harm() -> None:
    assert Job.model_validate(JOB | {"mood": "fine"}).id == "j-1"
