"""A write cache over a written history, for the tests of the cache."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import HashMismatchError
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.cache import WriteCache
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore
from tests.tables.written import Written, home, notes

STREAM = Stream("d", "global", "main")


class CountingReplay(Replay):
    """A replay that remembers what it applied, and fails where it is told to."""

    def __init__(self) -> None:
        super().__init__(Registry([notes]))
        self.applied: list[int] = []
        self.fails_at: int | None = None
        self.began = asyncio.Event()

    def advance(
        self,
        base: StreamState,
        operation: Operation,
        stream: Stream,
        document: Document | None,
        **how: Any,
    ) -> StreamState:
        if stream.scope != "document":
            if operation.index == self.fails_at:
                raise HashMismatchError(stream.document_id, key="k", expected="a", actual="b")
            self.applied.append(operation.index)
            self.began.set()
        return super().advance(base, operation, stream, document, **how)


class Place:
    """A cache over a written history."""

    def __init__(
        self,
        *,
        operations: int = 0,
        keyframes: Iterable[int] = (),
        streams_max: int = 100,
        ring_states: int = 10,
        bytes_max: int = 1 << 30,
        settings: Settings | None = None,
        values: MemoryKeyValueStore | None = None,
    ) -> None:
        self.written = Written()
        self.written.create("d")
        if operations:
            self.written.add(STREAM, operations)
        self.replay = CountingReplay()
        self.values = values or MemoryKeyValueStore()
        for label in keyframes:
            self.values.put(record_key(STREAM, label), self.written.keyframe(STREAM, label))
        self.keyframes = Keyframes(self.values, settings or Settings())
        self.cache = WriteCache(
            self.replay,
            self.written.operations,
            self.keyframes,
            streams_max=streams_max,
            ring_states=ring_states,
            bytes_max=bytes_max,
        )
        self._counted = (0, 0, 0, 0)

    @property
    def states(self) -> list[StreamState]:
        return self.written.states[STREAM]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Hits, warm, cold and keyframes used since the last `count_from_here`."""
        before = self._counted
        hits, warm, cold, used = self._counts()
        return hits - before[0], warm - before[1], cold - before[2], used - before[3]

    def count_from_here(self) -> None:
        """Forget what was counted."""
        self._counted = self._counts()

    async def warm_up(self) -> None:
        """Have the document's own scope cached, and count from there."""
        await self.cache.get(home("d"))
        self.count_from_here()

    def others(self, count: int) -> list[Stream]:
        """So many further documents with a line each, written and not cached."""
        streams = [Stream(f"other{number}", "global", "main") for number in range(count)]
        for stream in streams:
            self.written.create(stream.document_id)
            self.written.add(stream, 1)
        return streams

    def _counts(self) -> tuple[int, int, int, int]:
        figures = self.cache.figures()
        return figures.hits, figures.warm, figures.cold, figures.keyframes_used
