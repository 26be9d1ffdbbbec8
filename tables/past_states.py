"""The states that streams went through, asked for in the order of the log."""

from __future__ import annotations

from docreactor.pipeline.action import MARKERS
from docreactor.pipeline.document import Document
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.cache import WriteCache
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.leaps import Leap
from docreactor.tables.lru import Lru
from docreactor.tables.operations import OperationsTable
from docreactor.tables.rebuild import Rebuild
from docreactor.tables.trail import Trail
from docreactor.tables.trails import Trails

_BYTES_MAX = 16 * 1024 * 1024
"""Canonical JSON of the states held; one stays, however large."""


class PastStates:
    """Builds each on the one that was asked for before it, or on whatever is near.

    What the write cache holds is used and nothing is put there: a long history that is read
    through drives nothing out of it.
    """

    def __init__(
        self,
        replay: Replay,
        operations: OperationsTable,
        keyframes: Keyframes,
        cache: WriteCache,
        *,
        streams_max: int,
    ) -> None:
        self._replay = replay
        self._operations = operations
        self._cache = cache
        self._rebuild = Rebuild(replay, operations, keyframes)
        self._states: Lru[Stream, StreamState] = Lru(streams_max)
        self._homes: Lru[Stream, StreamState] = Lru(streams_max)
        self._bytes = 0
        self._trails = Trails()

    async def after(self, stream: Stream, operation: Operation) -> StreamState:
        """The state labelled as the operation, which is stored; whatever replay raises."""
        index = operation.index
        known = self._states.get(stream)
        if known is not None and known.label == index:
            return known
        document = await self._document(stream)
        cached = self._cache.bases(stream, index)
        leap: Leap | None = None
        if cached and cached[0].label == index:
            state = cached[0]
        elif known is not None and known.label == index - 1 and _is_plain(operation):
            state = self._replay.advance(known, operation, stream, document)
            leap = None if operation.error is None else Leap(known.label)
        else:
            if known is not None and known.label < index:
                cached = sorted([*cached, known], key=_highest_first)
            built = await self._rebuild.build(
                stream, document, index, cached, trail=self._trail(stream, known, index)
            )
            state, leap = built.state, built.leap
        if self._trails.has(stream):
            self._trails.add(stream, state, leap)
        self._keep(stream, state)
        return state

    def begin(self) -> None:
        """Let go of what only the operations of one batch have in common."""
        self._trails = Trails()

    def forget(self, document_id: str) -> None:
        """Drop what is held of a document."""
        for stream in [one for one in self._states if one.document_id == document_id]:
            self._count_out(self._states.remove(stream))
            self._trails.remove(stream)
        for home in [one for one in self._homes if one.document_id == document_id]:
            self._homes.remove(home)

    def clear(self) -> None:
        """Drop everything."""
        self._states.clear()
        self._homes.clear()
        self._bytes = 0
        self.begin()

    async def _document(self, stream: Stream) -> Document | None:
        """What a stream's operations are reduced under, as its newest operation leaves it."""
        home = stream.home
        head = None if home == stream else self._operations.head(home)
        if head is None:
            return None
        label = head.next_index - 1
        state = self._homes.get(home)
        if state is None or state.label != label:
            bases = self._cache.bases(home, label)
            if state is not None and state.label < label:
                bases = sorted([*bases, state], key=_highest_first)
            state = (await self._rebuild.build(home, None, label, bases)).state
            self._homes.put(home, state)
        document: Document | None = state.state
        return document

    def _trail(self, stream: Stream, known: StreamState | None, index: int) -> Trail:
        if known is not None and known.label > index:
            # A trail ascends: it begins anew where an earlier state is asked for again.
            self._trails.remove(stream)
        return self._trails.of(stream)

    def _keep(self, stream: Stream, state: StreamState) -> None:
        self._count_out(self._states.remove(stream))
        self._bytes += len(state.content)
        self._count_out(self._states.put(stream, state))
        while self._bytes > _BYTES_MAX and len(self._states) > 1:
            self._count_out(self._states.evict())

    def _count_out(self, dropped: StreamState | None) -> None:
        if dropped is not None:
            self._bytes -= len(dropped.content)


def _is_plain(operation: Operation) -> bool:
    """Whether it builds on the one before it."""
    if operation.skip:
        return False
    return operation.action.type not in MARKERS or operation.error is not None


def _highest_first(state: StreamState) -> int:
    return -state.label
