"""What travels on `actions` and `jobs`: work that is asked for, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from pydantic import SerializerFunctionWrapHandler, model_serializer

from docreactor.pipeline.action import Action
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.record import Record
from docreactor.pipeline.wire import Wire


class Mutation(Wire, frozen=True, gc=False, omit_defaults=True, tag_field="kind", tag="mutation"):
    """Actions for one scope of one branch of a document: all of them or none.

    `covers` is the token of a write that belongs to it: the job's own token covers that too.
    """

    id: str
    document_id: str
    branch: str
    scope: str
    actions: tuple[Action, ...]
    expected_revision: int | None = None
    depends_on: tuple[str, ...] = ()
    covers: str = ""


class Incoming(Wire, frozen=True, gc=False, omit_defaults=True):
    """An operation from elsewhere: its action, and where it stood there.

    `index`, `hash`, `previous` and `version` inform about the sender; they are compared where the
    same operations lie before it here, and are no instructions.
    """

    action: StoredAction
    index: int | None = None
    hash: str | None = None
    previous: str | None = None
    version: int | None = None


class Load(Wire, frozen=True, gc=False, omit_defaults=True, tag_field="kind", tag="load"):
    """Operations of one scope from elsewhere, to be placed by time: never refused for its state.

    `source` names the remote that they came from.
    """

    id: str
    document_id: str
    branch: str
    scope: str
    operations: tuple[Incoming, ...]
    source: str | None = None
    depends_on: tuple[str, ...] = ()


class Erasure(Wire, frozen=True, gc=False, omit_defaults=True, tag_field="kind", tag="erasure"):
    """Removes every trace of a document, on all its branches."""

    id: str
    document_id: str


class Cancellation(
    Wire, frozen=True, gc=False, omit_defaults=True, tag_field="kind", tag="cancellation"
):
    """Ends another job of the document while that one is deferred."""

    id: str
    document_id: str
    job_id: str


Job = Mutation | Load | Erasure | Cancellation

_JOBS: msgspec.json.Decoder[Job] = msgspec.json.Decoder(Job)


def decode_job(content: bytes) -> Job:
    """Read the value of a record of `actions`, or UndecodableRecord with the field and reason."""
    try:
        return _JOBS.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise UndecodableRecordError(f"job: {cause}") from cause


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
    offset on `actions`, None where it is not known. `held_by` is told by whoever answers: the read
    models that do not show it, each with its error or with why it set the document aside.
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
    held_by: dict[str, Any] | None = None

    @model_serializer(mode="wrap")
    def _told(self, tell: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = tell(self)
        if self.held_by is None:
            del fields["held_by"]
        return fields
