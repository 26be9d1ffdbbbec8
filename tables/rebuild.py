"""How a state is built again: the nearest base that serves, and the operations after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from time import perf_counter

from docreactor.pipeline.action import UNDO
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    NothingToRedoError,
    NothingToUndoError,
    UndecodableRecordError,
    UnknownModelError,
)
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables import fields
from docreactor.tables.descent import ORIGIN, PAGE, Descent, History
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.leaps import Leap
from docreactor.tables.trail import Trail, label_of

_STRETCH_S = 0.02


class Start(Enum):
    """What a state was built from."""

    CACHED = auto()
    KEYFRAME = auto()
    ORIGIN = auto()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A state, what it was built from, and what spares a later descent the way to it."""

    state: StreamState
    start: Start
    leap: Leap | None = field(default=None, compare=False)


class Rebuild:
    """Builds states from a partition's operations and keyframes. Changes nothing."""

    def __init__(self, replay: Replay, operations: History, keyframes: Keyframes) -> None:
        self._replay = replay
        self._operations = operations
        self._keyframes = keyframes

    async def build(
        self,
        stream: Stream,
        document: Document | None,
        target: int,
        cached: Sequence[StreamState],
        *,
        marker: str | None = None,
        trail: Trail | None = None,
    ) -> Rebuilt:
        """The state labelled `target`, an index that the stream has, or -1.

        `cached` are states of labels up to it, the highest first. The loop gets its turn after
        every page, so the caller can cancel. With a `marker` it is the state that an UNDO or a
        REDO after the target leads to: NothingToUndo and NothingToRedo where there is none. A
        `trail` of the stream is built from as well, and remembers what was met.
        """
        leaps = None
        if trail is not None:
            leaps = trail.leaps
            cached = sorted([*cached, *trail.upto(target)], key=label_of, reverse=True)
        descent = Descent(self._operations, stream, target, marker=marker, leaps=leaps)
        for label, state in self._bases(stream, target, cached):
            if label > descent.wanted:
                continue
            await descent.reach(label)
            if not descent.serves(label):
                continue
            start = Start.CACHED
            if state is None:
                start, state = Start.KEYFRAME, self._keyframe(stream, label)
            if state is not None:
                state = await self._climb(stream, document, state, descent, trail)
                return Rebuilt(state, start, descent.leap)
        await descent.reach(ORIGIN)
        if marker is not None and not descent.serves(ORIGIN):
            nothing = NothingToUndoError if marker == UNDO else NothingToRedoError
            raise nothing(stream.scope)
        state = self._replay.origin(stream, document)
        state = await self._climb(stream, document, state, descent, trail)
        return Rebuilt(state, Start.ORIGIN, descent.leap)

    def _check(self, stream: Stream, state: StreamState) -> None:
        """HashMismatch unless the state is the one that its operation recorded."""
        content = self._operations.get(stream, state.label)
        if content is not None and fields.state_hash(content) != state.hash:
            self._replay.check(state, Operation.decode(content), stream)

    def _bases(
        self, stream: Stream, target: int, cached: Sequence[StreamState]
    ) -> Iterator[tuple[int, StreamState | None]]:
        """Where to start from, the highest label first; None stands for a keyframe."""
        states = list(cached)
        for label in self._keyframes.labels(stream, target):
            while states and states[0].label >= label:
                yield states[0].label, states.pop(0)
            yield label, None
        for state in states:
            yield state.label, state

    def _keyframe(self, stream: Stream, label: int) -> StreamState | None:
        """A keyframe's state, unless it is not the one that its operation recorded."""
        content = self._keyframes.get(stream, label)
        operation = self._operations.get(stream, label)
        if content is None or operation is None:
            return None
        try:
            state = self._replay.decode(stream, content)
        except UnknownModelError:
            # Whether it is really lacking, the operations say.
            return None
        except UndecodableRecordError:
            self._keyframes.corrupted += 1
            return None
        if state.label != label or state.hash != fields.state_hash(operation):
            self._keyframes.corrupted += 1
            return None
        return state

    async def _climb(
        self,
        stream: Stream,
        document: Document | None,
        state: StreamState,
        descent: Descent,
        trail: Trail | None,
    ) -> StreamState:
        """Apply the operations that count, in order."""
        indexes = descent.counting(state.label)
        # An undone operation is part of the states that were recorded between it and its undo.
        is_checked = descent.is_plain
        since = perf_counter()
        for start in range(0, len(indexes), PAGE):
            for index, content in self._page(stream, indexes[start : start + PAGE]):
                # What lies between was superseded, failed, or was undone.
                base = state if state.label == index - 1 else state._replace(label=index - 1)
                operation = Operation.decode(content)
                state = self._replay.advance(
                    base, operation, stream, document, is_checked=is_checked
                )
                if trail is not None and descent.is_whole(index) and state.hash == operation.hash:
                    trail.meet(state)
                if perf_counter() - since > _STRETCH_S:
                    await asyncio.sleep(0)
                    since = perf_counter()
            await asyncio.sleep(0)
        if state.label != descent.target:
            state = state._replace(label=descent.target)
        if not descent.has_marker_after:
            self._check(stream, state)
        return state

    def _page(self, stream: Stream, indexes: Sequence[int]) -> list[tuple[int, bytes]]:
        first, last = indexes[0], indexes[-1]
        if last - first + 1 == len(indexes):
            page = self._operations.page(stream, first, len(indexes))
        else:
            contents = self._operations.get_many(stream, indexes)
            pairs = zip(indexes, contents, strict=True)
            page = [(index, content) for index, content in pairs if content is not None]
        if [index for index, _ in page] != list(indexes):
            raise CorruptHistoryError(f"{stream.prefix}: operations {first} to {last} have a gap")
        return page
