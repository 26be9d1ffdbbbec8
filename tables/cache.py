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
from docreactor.tables.cache_figures import CacheFigures
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
    """What is known of one stream: where it stands, what it shows there, a ring of the newest.

    `apart` are the bytes of a state at the head that past states pushed out of the ring.
    """

    __slots__ = ("apart", "head", "ring", "state")

    def __init__(self, capacity: int) -> None:
        self.head: Head | None = None
        self.state: StreamState | None = None
        self.ring = Ring(capacity)
        self.apart = 0

    @property
    def bytes(self) -> int:
        """Canonical JSON of every state held."""
        return self.ring.bytes + self.apart

    def weigh(self) -> None:
        """Find out whether the head's state is in the ring still."""
        is_apart = self.state is not None and not self.ring.has(self.state.label)
        self.apart = len(self.state.content) if self.state is not None and is_apart else 0


class WriteCache:
    """States of one partition's streams: least recently used streams go, whole.

    Cached states are values that nobody can change, so they are taken and handed out as they are.
    What fails or is cancelled leaves the cache as it was. Of one event loop: not for threads.
    """

    def __init__(
        self,
        replay: Replay,
        operations: OperationsTable,
        keyframes: Keyframes,
        *,
        streams_max: int,
        ring_states: int,
        bytes_max: int,
    ) -> None:
        """Holds so many streams, so many states of each and so much canonical JSON at most.

        One stream stays, however large: so `bytes_max` may be passed by one ring.
        """
        self._operations = operations
        self._keyframes = keyframes
        self._rebuild = Rebuild(replay, operations, keyframes)
        self._ring_states = ring_states
        self._bytes_max = bytes_max
        self._streams: Lru[Stream, _Cached] = Lru(streams_max)
        self._builds: WeakValueDictionary[Stream, asyncio.Lock] = WeakValueDictionary()
        self._forgettings = 0
        self._bytes = 0
        self._hits = 0
        self._warm = 0
        self._cold = 0
        self._keyframes_used = 0
        self._evicted = 0

    def startup(self) -> None:
        """Start the keyframes' store; nothing is read before it is asked for. Idempotent."""
        self._keyframes.startup()

    def shutdown(self) -> None:
        """Forget every state and stop the keyframes' store. Idempotent."""
        self.clear()
        self._keyframes.shutdown()

    def figures(self) -> CacheFigures:
        """What it has done so far, and what it holds at the moment."""
        return CacheFigures(
            hits=self._hits,
            warm=self._warm,
            cold=self._cold,
            keyframes_used=self._keyframes_used,
            evicted=self._evicted,
            corrupted=self._keyframes.corrupted,
            skipped=self._keyframes.skipped,
            streams=len(self._streams),
            state_bytes=self._bytes,
        )

    def labels(self, stream: Stream) -> list[int]:
        """Which states of a stream are cached, in the order they came. No use of the stream."""
        cached = self._streams.peek(stream)
        return [] if cached is None else [state.label for state in cached.ring]

    def streams(self) -> list[Stream]:
        """Which streams are cached, the least recently used first."""
        return list(self._streams)

    def peek(self, stream: Stream) -> StreamState | None:
        """The state at the stream's head if it is cached."""
        cached = self._streams.get(stream)
        if cached is None or cached.state is None:
            return None
        self._hits += 1
        return cached.state

    def newest(self, stream: Stream) -> Newest | None:
        """As `peek`, with the stream's head, where both are known."""
        cached = self._streams.get(stream)
        if cached is None or cached.state is None or cached.head is None:
            return None
        self._hits += 1
        return Newest(cached.head, cached.state)

    async def get(self, stream: Stream, target: int | None = None) -> StreamState:
        """The state labelled `target`, or the one at the head.

        DocumentNotFound when there is no such document, RevisionNotFound when the stream has no
        such index yet, UnknownModel; whatever replay raises. Callers that want one stream wait
        for one another and share what the first of them built.
        """
        label = self._label(stream, target)
        state = self._known(stream, label)
        if state is not None:
            self._hits += 1
        else:
            state = await self._built(stream, label)
            self._streams.touch(stream.home)
        self._streams.touch(stream)
        return state

    def bases(self, stream: Stream, label: int) -> list[StreamState]:
        """The cached states of labels up to this one, the highest first."""
        cached = self._streams.get(stream)
        return [] if cached is None else cached.ring.below(label + 1)

    def put(self, stream: Stream, state: StreamState, head: Head | None = None) -> None:
        """Take over the state at the stream's head, and the head that goes with it if known."""
        cached = self._of(stream)
        cached.head, cached.state = head, state
        self._bytes += cached.ring.push(state) - cached.apart
        cached.apart = 0
        if self._bytes > self._bytes_max:
            self._shed()

    def invalidate(
        self, document_id: str, scope: str | None = None, branch: str | None = None
    ) -> int:
        """Forget a document's streams, or those of one scope or branch; returns how many."""
        self._forgettings += 1
        if scope is not None and branch is not None:
            return int(self._forget(Stream(document_id, scope, branch)))
        wanted = [
            stream
            for stream in self._streams
            if stream.document_id == document_id
            and scope in (None, stream.scope)
            and branch in (None, stream.branch)
        ]
        return sum(self._forget(stream) for stream in wanted)

    def clear(self) -> None:
        """Forget everything, also what is known of keyframes."""
        self._forgettings += 1
        self._streams.clear()
        self._bytes = 0
        self._keyframes.forget()

    def _label(self, stream: Stream, target: int | None) -> int:
        newest = self._newest(stream)
        label = newest if target is None else target
        if not -1 <= label <= newest:
            raise RevisionNotFoundError(stream.scope, label, head=newest)
        return label

    def _newest(self, stream: Stream) -> int:
        """The newest label: of the table, or of a state put here before its row is written."""
        head = self._operations.head(stream)
        cached = self._streams.peek(stream)
        newest = -1 if head is None else head.next_index - 1
        if cached is not None and cached.state is not None:
            newest = max(newest, cached.state.label)
        if newest < 0:
            if stream.scope == DOCUMENT_SCOPE:
                raise DocumentNotFoundError(stream.document_id, stream.branch)
            self._newest(stream.home)
        return newest

    def _known(self, stream: Stream, label: int) -> StreamState | None:
        cached = self._streams.peek(stream)
        if cached is None:
            return None
        if cached.state is not None and cached.state.label == label:
            return cached.state
        return cached.ring.at(label)

    async def _built(self, stream: Stream, label: int) -> StreamState:
        """One caller of a stream builds at a time; the next may find its state built."""
        document = await self._document(stream)
        async with self._alone(stream):
            state = self._known(stream, label)
            if state is not None:
                self._hits += 1
                return state
            return await self._build(stream, document, label)

    async def _document(self, stream: Stream) -> Document | None:
        """What a stream's operations are reduced under; None for the document's own stream."""
        if stream.scope == DOCUMENT_SCOPE:
            return None
        home = stream.home
        label = self._label(home, None)
        # Looked at on the way to another answer: no answer of its own, so no hit.
        state = self._known(home, label) or await self._built(home, label)
        document: Document | None = state.state
        return document

    def _alone(self, stream: Stream) -> asyncio.Lock:
        """Lives as long as somebody holds it or waits for it."""
        lock = self._builds.get(stream)
        if lock is None:
            lock = self._builds[stream] = asyncio.Lock()
        return lock

    async def _build(self, stream: Stream, document: Document | None, label: int) -> StreamState:
        forgettings = self._forgettings
        cached = self._streams.peek(stream)
        bases = [] if cached is None else cached.ring.below(label)
        rebuilt = await self._rebuild.build(stream, document, label, bases)
        self._count(rebuilt.start)
        # What was forgotten meanwhile must not come back, and an origin depends on its document.
        if forgettings == self._forgettings and label >= 0:
            cached = self._of(stream)
            before = cached.bytes
            cached.ring.push(rebuilt.state)
            # The stream may have moved on meanwhile: what `peek` returns is built upon.
            if label == self._newest(stream):
                cached.state, cached.head = rebuilt.state, self._operations.head(stream)
            cached.weigh()
            self._bytes += cached.bytes - before
            self._shed()
        return rebuilt.state

    def _of(self, stream: Stream) -> _Cached:
        cached = self._streams.get(stream)
        if cached is None:
            cached = _Cached(self._ring_states)
            self._count_out(self._streams.put(stream, cached))
        return cached

    def _shed(self) -> None:
        """Let go of the least recently used streams until the rest fits, or is one."""
        while self._bytes > self._bytes_max and len(self._streams) > 1:
            self._count_out(self._streams.evict())

    def _count_out(self, evicted: _Cached | None) -> None:
        if evicted is not None:
            self._evicted += 1
            self._bytes -= evicted.bytes

    def _forget(self, stream: Stream) -> bool:
        forgotten = self._streams.remove(stream)
        if forgotten is None:
            return False
        self._bytes -= forgotten.bytes
        return True

    def _count(self, start: Start) -> None:
        match start:
            case Start.CACHED:
                self._warm += 1
            case Start.KEYFRAME:
                self._cold += 1
                self._keyframes_used += 1
            case Start.ORIGIN:
                self._cold += 1
