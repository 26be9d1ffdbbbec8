"""How a state is built again: the nearest base that serves, and the operations after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from time import perf_counter

from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import CorruptHistoryError, UndecodableRecordError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables import fields
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import OperationsTable

_PAGE = 100
_STRETCH_S = 0.02
_ORIGIN = -1


class Start(Enum):
    """What a state was built from."""

    CACHED = auto()
    KEYFRAME = auto()
    ORIGIN = auto()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A state, and what it was built from."""

    state: StreamState
    start: Start


class Rebuild:
    """Builds states from a partition's operations and keyframes. Changes nothing."""

    def __init__(self, replay: Replay, operations: OperationsTable, keyframes: Keyframes) -> None:
        self._replay = replay
        self._operations = operations
        self._keyframes = keyframes

    async def build(
        self,
        stream: Stream,
        document: Document | None,
        target: int,
        cached: Sequence[StreamState],
    ) -> Rebuilt:
        """The state labelled `target`, an index that the stream has, or -1.

        `cached` are states of lower labels, the highest first. The loop gets its turn after every
        page, so the caller can cancel.
        """
        descent = _Descent(self._operations, stream, target)
        for label, state in self._bases(stream, target, cached):
            await descent.reach(label)
            if not descent.serves(label):
                continue
            start = Start.CACHED
            if state is None:
                start, state = Start.KEYFRAME, self._keyframe(stream, label)
            if state is not None:
                return Rebuilt(await self._climb(stream, document, state, descent), start)
        await descent.reach(_ORIGIN)
        state = self._replay.origin(stream, document)
        return Rebuilt(await self._climb(stream, document, state, descent), Start.ORIGIN)

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
        except UndecodableRecordError:
            self._keyframes.corrupted += 1
            return None
        if state.label != label or state.hash != fields.state_hash(operation):
            self._keyframes.corrupted += 1
            return None
        return state

    async def _climb(
        self, stream: Stream, document: Document | None, state: StreamState, descent: _Descent
    ) -> StreamState:
        """Apply the operations that stand, in order."""
        indexes = descent.standing(state.label)
        since = perf_counter()
        for start in range(0, len(indexes), _PAGE):
            for index, content in self._page(stream, indexes[start : start + _PAGE]):
                # What lies between was superseded: the state before it is the one it is placed on.
                base = state if state.label == index - 1 else state._replace(label=index - 1)
                operation = Operation.decode(content)
                state = self._replay.advance(base, operation, stream, document)
                if perf_counter() - since > _STRETCH_S:
                    await asyncio.sleep(0)
                    since = perf_counter()
            await asyncio.sleep(0)
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


class _Descent:
    """The way down from a target: which operations stand, and how low their skips reach."""

    def __init__(self, operations: OperationsTable, stream: Stream, target: int) -> None:
        self._operations = operations
        self._stream = stream
        self._passed = target + 1
        self._wanted = target
        self._lowest = target
        self._standing: list[int] = []

    async def reach(self, label: int) -> None:
        """Look at every operation above `label`."""
        while self._passed > label + 1:
            count = min(_PAGE, self._passed - label - 1)
            page = self._operations.page_back(self._stream, self._passed - 1, count)
            for index, content in page:
                self._pass(index, fields.skip(content))
            if len(page) < count:
                raise CorruptHistoryError(f"{self._stream.prefix}: no operation {self._passed - 1}")
            if self._passed > label + 1:
                await asyncio.sleep(0)

    def serves(self, label: int) -> bool:
        """Whether every operation above `label` leaves the state of `label` under it."""
        return self._lowest >= label

    def standing(self, label: int) -> list[int]:
        """The indexes above `label` that no later one superseded, ascending."""
        return [index for index in reversed(self._standing) if index > label]

    def _pass(self, index: int, skip: int) -> None:
        if index != self._passed - 1:
            raise CorruptHistoryError(
                f"{self._stream.prefix}: expected operation {self._passed - 1}, found {index}"
            )
        self._passed = index
        below = index - skip - 1
        if below < _ORIGIN:
            raise CorruptHistoryError(f"{self._stream.prefix}{index}: skips {skip}")
        self._lowest = min(self._lowest, below)
        if index == self._wanted:
            self._standing.append(index)
            self._wanted = below
