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
from docreactor.tables.leaps import Leap
from docreactor.tables.rebuild import Rebuild
from docreactor.tables.trail import Trail


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
        self._trail = Trail()
        self.state = replay.origin(stream, document)

    async def advance(self, operation: Operation) -> StreamState:
        """The state after the next stored operation, whichever one before it that builds on.

        HashMismatch when it is not what the operation recorded, and whatever replay raises; the
        fold ends with that.
        """
        if operation.skip or operation.action.type in MARKERS:
            built = await self._rebuild.build(
                self._stream, self._document, operation.index, [], trail=self._trail
            )
            self.state, leap = built.state, built.leap
        else:
            before = self.state.label
            self.state = self._replay.advance(self.state, operation, self._stream, self._document)
            leap = None if operation.error is None else Leap(before)
        self._trail.add(self.state, leap)
        return self.state
