"""What one batch of jobs will write: everything, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from docreactor.agents.log import Entry
from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.deferred import Deferred
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    ActionIdConflictError,
    InvalidTokenError,
    ReactorError,
    TokenOfAnotherLogError,
)
from docreactor.pipeline.job import Cancellation, Job, JobStatus, Load, Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.position import Position, partition_token
from docreactor.pipeline.problem import problem
from docreactor.pipeline.reducer import input_content
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import parse
from docreactor.tables.keyframes import KeyframeStage
from docreactor.tables.operations import Head
from docreactor.tables.store import AnyRow

_WRITE_READY = JobStatus.WRITE_READY.value
_FAILED = JobStatus.FAILED.value

NO_OPERATIONS = Head(
    next_index=0, latest_us=-(2**62), previous=None, keyframe_label=-1, bytes_since_keyframe=0
)
"""Where a stream stands that has none."""


class StreamStage:
    """One stream as the batch has moved it so far.

    `home` is the document's own stream, which says what the document is; for that one itself.
    `state` is None while the stream has no operations; `broken` says why it cannot be built upon.
    `staged` holds what the batch stores, from the loaded head's next index on.
    """

    __slots__ = ("broken", "head", "home", "loaded", "prefix", "staged", "state", "stream")

    def __init__(self, stream: Stream, home: StreamStage | None) -> None:
        self.stream = stream
        self.prefix = stream.prefix.encode()
        self.home = self if home is None else home
        self.head = self.loaded = NO_OPERATIONS
        self.state: StreamState | None = None
        self.broken: ReactorError | None = None
        self.staged: list[bytes] = []

    def load(self, head: Head) -> None:
        """Begin where the table says that the stream stands."""
        self.head = self.loaded = head

    @property
    def is_moved(self) -> bool:
        """Whether the batch adds operations to it."""
        return self.head is not self.loaded

    @property
    def document(self) -> Document | None:
        """The document as the batch has it so far."""
        state = self.home.state
        return None if state is None else state.state


class Known(NamedTuple):
    """What an action id stands for already, and when that was; None for a time not yet given.

    Without an action it stands for one of another scope.
    """

    action: Action | StoredAction | None
    timestamp: str | None

    def check(self, action: Action | StoredAction) -> None:
        """ActionIdConflict unless the action is the known one. A time that was left out is any."""
        known, timestamp = self
        same = (
            known is not None
            and action.type == known.type
            and action.scope == known.scope
            and input_content(action.input) == input_content(known.input)
            and (
                action.timestamp is None
                or timestamp is None
                or parse(action.timestamp) == parse(timestamp)
            )
        )
        if not same:
            raise ActionIdConflictError(action.id)


class Mark(NamedTuple):
    """Where the batch and one of its streams stood before a job."""

    operations: int
    stage: StreamStage
    head: Head
    state: StreamState | None


class Ended(NamedTuple):
    """A job that ended: with an error, or with this many operations of the batch before its end."""

    job: Job
    offset: int
    operations_until: int
    error: ReactorError | None


class Staging:
    """The batch as it grows.

    `placed` holds the key of each operation's action, None for one stored before; `rows` two rows
    of each operation. `deferred` holds records of the topic by key, None for a tombstone; `held`
    the streams in which a job waits, and whether the first such waits for its document alone.
    `erased` names the documents of which nothing stays, `forgotten_jobs` removes their results.
    """

    def __init__(self, keyframes: KeyframeStage) -> None:
        self.keyframes = keyframes
        self.streams: dict[Stream, StreamStage] = {}
        self.known: dict[bytes, Known] = {}
        self.operations: list[Entry] = []
        self.placed: list[bytes | None] = []
        self.rows: list[AnyRow] = []
        self.ended: list[Ended] = []
        self.dead_letters: list[Entry] = []
        self.deferred: dict[bytes, Deferred | None] = {}
        self.erased: list[str] = []
        self.forgotten_jobs: list[Entry] = []
        self.held: dict[Stream, bool] = {}
        self.cancellations: list[tuple[Cancellation, int]] = []
        self.retry_count = 0
        self._kept: list[tuple[Stream, int, bytes]] = []

    def stage(self, stream: Stream) -> StreamStage:
        """The stream's stage, made with its home's when it is new."""
        stage = self.streams.get(stream)
        if stage is None:
            home = stream.home
            stage = StreamStage(stream, None if home == stream else self.stage(home))
            self.streams[stream] = stage
        return stage

    def mark(self, stage: StreamStage) -> Mark:
        """What `undo` goes back to."""
        return Mark(len(self.operations), stage, stage.head, stage.state)

    def undo(self, mark: Mark) -> None:
        """Forget what a job staged since its mark."""
        stage = mark.stage
        stage.head, stage.state = mark.head, mark.state
        del stage.staged[stage.head.next_index - stage.loaded.next_index :]
        count = mark.operations
        for action_key in self.placed[count:]:
            if action_key is not None:
                del self.known[action_key]
        del self.operations[count:], self.placed[count:], self.rows[2 * count :]
        self._kept.clear()

    def keep(self, stream: Stream, label: int, content: bytes) -> None:
        """Store a keyframe if the running job succeeds."""
        self._kept.append((stream, label, content))

    def succeed(self, job: Job, offset: int) -> None:
        """The job stores what was staged since its mark."""
        for kept in self._kept:
            self.keyframes.add(*kept)
        self._kept.clear()
        self.ended.append(Ended(job, offset, len(self.operations), None))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit but an offset."""
        return not (self.ended or self.deferred or self.dead_letters)

    def fail(self, job: Job, offset: int, error: ReactorError) -> None:
        """The job stores nothing but this error."""
        self.ended.append(Ended(job, offset, len(self.operations), error))


def result_entries(
    ended: Iterable[Ended],
    *,
    log_id: str,
    partition: int,
    first_offset: int,
    reached: int,
    retry_count: int = 0,
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
            token = _covering(job, partition_token(log_id, partition, upto), log_id)
        result = {
            "branch": job.branch if isinstance(job, Mutation | Load) else None,
            "document_id": job.document_id,
            "error": None if error is None else problem(error),
            "id": job.id,
            "offset": offset,
            "retry_count": retry_count,
            "scope": job.scope if isinstance(job, Mutation | Load) else None,
            "status": _WRITE_READY if error is None else _FAILED,
            "token": token,
        }
        entries.append(Entry(job.id.encode(), encode(result)))
    return entries


def _covering(job: Job, token: str, log_id: str) -> str:
    """The token, and what the job covers besides."""
    if not isinstance(job, Mutation) or not job.covers:
        return token
    try:
        covered = Position.parse(job.covers, log_id=log_id)
    except (InvalidTokenError, TokenOfAnotherLogError):
        # One record that makes no sense must not end the batch.
        return token
    return Position.parse(token, log_id=log_id).merge(covered).token
