"""A history as a reducer would have written it, and every state on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from docreactor.pipeline.action import CREATE_DOCUMENT, DELETE_DOCUMENT, UPGRADE_DOCUMENT
from docreactor.pipeline.bound import UNBOUNDED
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.context import Context
from docreactor.pipeline.ids import operation_id
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.reduce import NOTHING, origin, reduce, reduce_document
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.state import State
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import Head, OperationsTable, action_key, operation_rows
from docreactor.tables.store import AnyRow, Store

NOTES_TYPE = "test/notes"
SIZE_MAX = 1 << 20
NEW_HEAD = Head(
    next_index=0, latest_us=-1, previous=None, keyframe_label=-1, bytes_since_keyframe=0
)


class Notes(State):
    lines: tuple[str, ...] = ()


class Line(BaseModel):
    text: str


notes = DocumentModel(NOTES_TYPE, state=Notes)


@notes.action
def add(state: Notes, input: Line) -> Notes:
    return state.replace(lines=(*state.lines, input.text))


@notes.action
def refuse(state: Notes, input: Line) -> Notes:
    raise ValueError(input.text)


def home(document_id: str, branch: str = "main") -> Stream:
    """The stream that holds a document's life."""
    return Stream(document_id, "document", branch)


@dataclass
class Written:
    """`records` are those of the topic, `states` what each stream showed after each index."""

    store: Store = field(default_factory=MemoryStore)
    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    states: dict[Stream, list[StreamState]] = field(default_factory=dict)
    moment: int = 1_700_000_000_000_000

    def __post_init__(self) -> None:
        self.replay = Replay(Registry([notes]))
        self.operations = OperationsTable(self.store)

    def create(
        self,
        document_id: str,
        branch: str = "main",
        *,
        slug: str | None = None,
        initial_state: dict[str, Any] | None = None,
    ) -> StreamState:
        """Creation and first upgrade."""
        stream = home(document_id, branch)
        given = {"model": NOTES_TYPE, "document_id": document_id, "branch": branch, "slug": slug}
        self.append(stream, given, action_type=CREATE_DOCUMENT)
        upgrade = {
            "model": NOTES_TYPE,
            "document_id": document_id,
            "from_version": 0,
            "to_version": 1,
            "initial_state": initial_state,
        }
        return self.append(stream, upgrade, action_type=UPGRADE_DOCUMENT)

    def delete(self, document_id: str, branch: str = "main") -> StreamState:
        """The document's end."""
        given = {"document_id": document_id}
        return self.append(home(document_id, branch), given, action_type=DELETE_DOCUMENT)

    def add(self, stream: Stream, count: int) -> StreamState:
        """So many lines, one operation each."""
        for _ in range(count):
            self.append(stream, {"text": f"line {len(self.states.get(stream, []))}"})
        return self.states[stream][-1]

    def append(
        self, stream: Stream, input: Any, *, action_type: str = "ADD", skip: int = 0, **action: Any
    ) -> StreamState:
        """One operation at the stream's end, superseding `skip` indexes before it."""
        states = self.states.setdefault(stream, [])
        index = len(states)
        self.moment += 1_000
        timestamp = render(Microseconds(self.moment))
        given = {
            "context": None,
            "id": f"a-{self.moment}",
            "input": input,
            "scope": stream.scope,
            "timestamp": timestamp,
            "type": action_type,
        } | action
        below = index - skip - 1
        base = states[below] if below >= 0 else self._origin(stream)
        state, error = self._reduce(base._replace(label=index - 1), stream, given)
        head = self.operations.head(stream) or NEW_HEAD
        content = encode(
            {
                "action": given,
                "document_type": NOTES_TYPE,
                "error": error,
                "hash": state.hash,
                "id": operation_id(*stream, given["id"]),
                "index": index,
                "previous": head.previous,
                "skip": skip,
                "timestamp": given["timestamp"],
                "version": state.version,
            }
        )
        states.append(state)
        self.records.append((record_key(stream, index), content))
        known = action_key(stream, given["id"])
        rows = operation_rows(record_key(stream, index), known, index, content)
        self.write([*rows, self.operations.head_row(stream, self._moved(head, content))])
        return state

    def write(self, rows: Sequence[AnyRow]) -> None:
        """Write rows into the store."""
        self.store.write(rows, {}, now_ms=1)

    def keyframe(self, stream: Stream, label: int) -> bytes:
        """The content of the keyframe at this label."""
        return self.replay.encode(stream, self.states[stream][label], NOTES_TYPE)

    def _moved(self, head: Head, content: bytes) -> Head:
        return Head(
            next_index=head.next_index + 1,
            latest_us=max(head.latest_us, self.moment),
            previous=digest(content),
            keyframe_label=head.keyframe_label,
            bytes_since_keyframe=head.bytes_since_keyframe + len(content),
        )

    def _origin(self, stream: Stream) -> StreamState:
        if stream.scope == "document":
            return NOTHING
        document = self.states[home(stream.document_id, stream.branch)][-1].state
        return origin(notes, stream.scope, document)

    def _reduce(
        self, base: StreamState, stream: Stream, given: dict[str, Any]
    ) -> tuple[StreamState, str | None]:
        action_type, input, timestamp = given["type"], given["input"], given["timestamp"]
        if stream.scope == "document":
            given_id = given["id"]
            return reduce_document(base, action_type, input, timestamp, given_id, stream), None
        document = self.states[home(stream.document_id, stream.branch)][-1].state
        context = Context(timestamp, given["id"], None, document.origin)
        return reduce(
            notes,
            base,
            stream.scope,
            action_type,
            encode(input),
            context,
            document=document,
            version=document.version_at(timestamp),
            document_bytes_max=SIZE_MAX,
            bound=UNBOUNDED,
        )
