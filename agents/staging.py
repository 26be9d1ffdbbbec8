"""What one batch of jobs will write: everything, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from docreactor.agents.log import Entry
from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import ActionIdConflictError, ReactorError
from docreactor.pipeline.job import JobStatus, Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.position import partition_token
from docreactor.pipeline.problem import problem
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import parse
from docreactor.tables.keyframes import KeyframeStage
from docreactor.tables.operations import Head
from docreactor.tables.store import Row

_WRITE_READY = JobStatus.WRITE_READY.value
_FAILED = JobStatus.FAILED.value


@dataclass(slots=True)
class JobStage:
    """What one job adds; it joins the batch when the whole job succeeded."""

    stream: Stream
    head: Head
    state: StreamState
    document: Document | None
    operations: list[Entry] = field(default_factory=list[Entry])
    rows: list[Row] = field(default_factory=list[Row])
    actions: list[tuple[Action, str]] = field(default_factory=list[tuple[Action, str]])
    keyframes: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])


class Known(NamedTuple):
    """What an action id stands for already."""

    type: str
    scope: str
    input: Any
    timestamp: str | None

    @classmethod
    def of(cls, action: Action | StoredAction) -> Known:
        """What this action's id stands for from here on."""
        return cls(action.type, action.scope, action.input, action.timestamp)

    def check(self, action: Action) -> None:
        """ActionIdConflict unless the action is the known one. A time that was left out is any."""
        same = (
            action.type == self.type
            and action.scope == self.scope
            and encode(action.input) == encode(self.input)
            and (
                action.timestamp is None
                or self.timestamp is None
                or parse(action.timestamp) == parse(self.timestamp)
            )
        )
        if not same:
            raise ActionIdConflictError(action.id)


class Ended(NamedTuple):
    """A job that ended: with an error, or with this many operations of the batch before its end."""

    job: Mutation
    offset: int
    operations_until: int
    error: ReactorError | None


class Staging:
    """The batch as it grows. Streams show here what earlier jobs of the batch did to them."""

    def __init__(self, keyframes: KeyframeStage) -> None:
        self.keyframes = keyframes
        self.heads: dict[Stream, Head | None] = {}
        self.states: dict[Stream, StreamState] = {}
        self.broken: dict[Stream, ReactorError] = {}
        self.touched: set[Stream] = set()
        self.known: dict[tuple[Stream, str], Known] = {}
        self.operations: list[Entry] = []
        self.rows: list[Row] = []
        self.ended: list[Ended] = []
        self.dead_letters: list[Entry] = []

    def succeed(self, job: Mutation, offset: int, stage: JobStage | None) -> None:
        """Take over what the job staged; None for a job of known actions only."""
        if stage is not None:
            self.operations += stage.operations
            self.rows += stage.rows
            self.heads[stage.stream] = stage.head
            self.states[stage.stream] = stage.state
            self.touched.add(stage.stream)
            for action, timestamp in stage.actions:
                known = Known(action.type, action.scope, action.input, timestamp)
                self.known[stage.stream, action.id] = known
            for label, content in stage.keyframes:
                self.keyframes.add(stage.stream, label, content)
        self.ended.append(Ended(job, offset, len(self.operations), None))

    def fail(self, job: Mutation, offset: int, error: ReactorError) -> None:
        """The job stores nothing but this error."""
        self.ended.append(Ended(job, offset, len(self.operations), error))


def result_entries(
    ended: Iterable[Ended], *, log_id: str, partition: int, first_offset: int, reached: int
) -> list[Entry]:
    """The records of `jobs`.

    `first_offset` is the batch's first operation's; `reached` the next offset of `operations`
    before the batch, which a job without new operations answers with.
    """
    entries: list[Entry] = []
    for job, offset, operations_until, error in ended:
        token = ""
        if error is None:
            upto = first_offset + operations_until if operations_until else reached
            token = partition_token(log_id, partition, upto)
        result = {
            "branch": job.branch,
            "document_id": job.document_id,
            "error": None if error is None else problem(error),
            "id": job.id,
            "offset": offset,
            "retry_count": 0,
            "scope": job.scope,
            "status": _WRITE_READY if error is None else _FAILED,
            "token": token,
        }
        entries.append(Entry(job.id.encode(), encode(result)))
    return entries
