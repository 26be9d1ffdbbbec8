"""What travels on `actions` and `jobs`: work that is asked for, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from docreactor.pipeline.action import Action
from docreactor.pipeline.record import Record
from docreactor.pipeline.wire import Wire


class Mutation(Wire, frozen=True, gc=False, omit_defaults=True, tag_field="kind", tag="mutation"):
    """Actions for one scope of one branch of a document: all of them or none."""

    id: str
    document_id: str
    branch: str
    scope: str
    actions: tuple[Action, ...]
    expected_revision: int | None = None


class JobStatus(StrEnum):
    """Where a job stands. Only READ_READY and FAILED are final."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WRITE_READY = "WRITE_READY"
    READ_READY = "READ_READY"
    FAILED = "FAILED"


class JobResult(Record):
    """The value of a record of `jobs`, and what HTTP answers.

    `token` is empty before WRITE_READY; `error` a problem document or None; `offset` the job's own
    offset on `actions`, None where it is not known.
    """

    id: str
    document_id: str | None
    scope: str | None
    branch: str | None
    status: JobStatus
    token: str
    error: dict[str, Any] | None
    retry_count: int
    offset: int | None
