"""Folds a stream again from its first operation, and remembers enough to go on after a skip."""

from __future__ import annotations

from docreactor.pipeline.action import MARKERS
from docreactor.pipeline.document import Document
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.descent import History
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore
from docreactor.tables.rebuild import Rebuild

_NEWEST_STATES = 10
_STATES_MAX = 64


class Refold:
    """The states of one stream, each from those before it alone: no keyframe, no shared cache.

    Memory is bounded: it keeps the newest states, and of the older ones every so many.
    """

    def __init__(
        self,
        replay: Replay,
        operations: History,
        settings: Settings,
        stream: Stream,
        document: Document | None,
    ) -> None:
        self._replay = replay
        self._rebuild = Rebuild(replay, operations, Keyframes(MemoryKeyValueStore(), settings))
        self._stream = stream
        self._document = document
        self._apart = 1
        self._older: list[StreamState] = []
        self._newest: list[StreamState] = []
        self.state = replay.origin(stream, document)

    async def advance(self, operation: Operation) -> StreamState:
        """The state after the next stored operation, whichever one before it that builds on.

        HashMismatch when it is not what the operation recorded, and whatever replay raises; the
        fold ends with that.
        """
        if operation.skip or operation.action.type in MARKERS:
            bases = sorted([*self._older, *self._newest], key=_label, reverse=True)
            rebuilt = await self._rebuild.build(
                self._stream, self._document, operation.index, bases
            )
            self.state = rebuilt.state
        else:
            self.state = self._replay.advance(self.state, operation, self._stream, self._document)
        self._keep(self.state)
        return self.state

    def _keep(self, state: StreamState) -> None:
        self._newest.append(state)
        if len(self._newest) <= _NEWEST_STATES:
            return
        oldest = self._newest.pop(0)
        if oldest.label % self._apart == 0:
            self._older.append(oldest)
        if len(self._older) > _STATES_MAX:
            self._apart *= 2
            self._older = [one for one in self._older if one.label % self._apart == 0]


def _label(state: StreamState) -> int:
    return state.label
