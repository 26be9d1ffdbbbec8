"""The states that the reducer builds on: cached, or built again from the log's rows."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from weakref import WeakValueDictionary

from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import DocumentNotFoundError, RevisionNotFoundError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.lru import Lru
from docreactor.tables.operations import Head, OperationsTable
from docreactor.tables.rebuild import Rebuild, Start
from docreactor.tables.ring import Ring


class Newest(NamedTuple):
    """Where a stream stands, and what it shows there."""

    head: Head
    state: StreamState


class _Cached:
    """What is known of one stream: where it stands, what it shows there, a ring of the newest."""

    __slots__ = ("head", "ring", "state")

    def __init__(self, capacity: int) -> None:
        self.head: Head | None = None
        self.state: StreamState | None = None
        self.ring = Ring(capacity)


class WriteCache:
    """States of one partition's streams: least recently used streams go, whole.

    Cached states are values that nobody can change, so they are handed out as they are. What
    fails or is cancelled leaves the cache as it was.
    """

    def __init__(
        self,
        replay: Replay,
        operations: OperationsTable,
        keyframes: Keyframes,
        *,
        streams_max: int,
        ring_states: int,
    ) -> None:
        self._operations = operations
        self._keyframes = keyframes
        self._rebuild = Rebuild(replay, operations, keyframes)
        self._ring_states = ring_states
        self._streams: Lru[Stream, _Cached] = Lru(streams_max)
        self._builds: WeakValueDictionary[Stream, asyncio.Lock] = WeakValueDictionary()
        self._forgettings = 0
        self.hits = 0
        """Answers that were there."""
        self.warm = 0
        """Answers built from a cached state."""
        self.cold = 0
        """Answers built without one."""
        self.keyframes_used = 0
        """Answers built from a keyframe."""

    def peek(self, stream: Stream) -> StreamState | None:
        """The state at the stream's head if it is cached."""
        cached = self._streams.get(stream)
        if cached is None or cached.state is None:
            return None
        self.hits += 1
        return cached.state

    def newest(self, stream: Stream) -> Newest | None:
        """As `peek`, with the stream's head, where both are known."""
        cached = self._streams.get(stream)
        if cached is None or cached.state is None or cached.head is None:
            return None
        self.hits += 1
        return Newest(cached.head, cached.state)

    async def get(self, stream: Stream, target: int | None = None) -> StreamState:
        """The state labelled `target`, or the one at the head.

        DocumentNotFound when there is no such document, RevisionNotFound when the stream has no
        such index yet; whatever replay raises. Callers that want one stream wait for one another.
        """
        newest = self._newest(stream)
        label = newest if target is None else target
        if not -1 <= label <= newest:
            raise RevisionNotFoundError(stream.scope, label, head=newest)
        state = self._known(stream, label)
        if state is not None:
            self.hits += 1
            return state
        document: Document | None = None
        if stream.scope != DOCUMENT_SCOPE:
            home = await self.get(stream.home)
            document = home.state
        async with self._alone(stream):
            state = self._known(stream, label)
            if state is not None:
                self.hits += 1
                return state
            return await self._build(stream, document, label)

    def put(self, stream: Stream, state: StreamState, head: Head | None = None) -> None:
        """Take over the state at the stream's head, and the head that goes with it if known."""
        cached = self._of(stream)
        cached.head, cached.state = head, state
        cached.ring.push(state)

    def invalidate(
        self, document_id: str, scope: str | None = None, branch: str | None = None
    ) -> int:
        """Forget a document's streams, or those of one scope or branch; returns how many."""
        self._forgettings += 1
        if scope is not None and branch is not None:
            return int(self._streams.remove(Stream(document_id, scope, branch)))
        return self._streams.remove_where(
            lambda stream: (
                stream.document_id == document_id
                and scope in (None, stream.scope)
                and branch in (None, stream.branch)
            )
        )

    def clear(self) -> None:
        """Forget everything, also what is known of keyframes."""
        self._forgettings += 1
        self._streams.clear()
        self._keyframes.forget()

    def _newest(self, stream: Stream) -> int:
        """The newest label: of the table, or of a state put here before its row is written."""
        head = self._operations.head(stream)
        cached = self._streams.get(stream)
        newest = -1 if head is None else head.next_index - 1
        if cached is not None and cached.state is not None:
            newest = max(newest, cached.state.label)
        if newest < 0:
            if stream.scope == DOCUMENT_SCOPE:
                raise DocumentNotFoundError(stream.document_id, stream.branch)
            self._newest(stream.home)
        return newest

    def _known(self, stream: Stream, label: int) -> StreamState | None:
        cached = self._streams.get(stream)
        if cached is None:
            return None
        if cached.state is not None and cached.state.label == label:
            return cached.state
        return cached.ring.at(label)

    def _alone(self, stream: Stream) -> asyncio.Lock:
        """Lives as long as somebody holds it or waits for it."""
        lock = self._builds.get(stream)
        if lock is None:
            lock = self._builds[stream] = asyncio.Lock()
        return lock

    async def _build(self, stream: Stream, document: Document | None, label: int) -> StreamState:
        forgettings = self._forgettings
        cached = self._streams.get(stream)
        bases = [] if cached is None else cached.ring.below(label)
        rebuilt = await self._rebuild.build(stream, document, label, bases)
        self._count(rebuilt.start)
        # What was forgotten meanwhile must not come back, and an origin depends on its document.
        if forgettings == self._forgettings and label >= 0:
            cached = self._of(stream)
            cached.ring.push(rebuilt.state)
            # The stream may have moved on meanwhile: what `peek` returns is built upon.
            if label == self._newest(stream):
                cached.state, cached.head = rebuilt.state, self._operations.head(stream)
        return rebuilt.state

    def _of(self, stream: Stream) -> _Cached:
        cached = self._streams.get(stream)
        if cached is None:
            cached = _Cached(self._ring_states)
            self._streams.put(stream, cached)
        return cached

    def _count(self, start: Start) -> None:
        match start:
            case Start.CACHED:
                self.warm += 1
            case Start.KEYFRAME:
                self.cold += 1
                self.keyframes_used += 1
            case Start.ORIGIN:
                self.cold += 1
