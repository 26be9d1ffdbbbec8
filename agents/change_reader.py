"""Makes changes of stored operations: with what they take away, and what they lead to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from heapq import merge
from time import perf_counter
from typing import NamedTuple

from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.canonical import JSON, decode
from docreactor.pipeline.errors import CorruptHistoryError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.order import LATER, rank
from docreactor.pipeline.position import Offset
from docreactor.pipeline.read_model import Change
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.tables.descent import PAGE, standing
from docreactor.tables.past_states import PastStates
from docreactor.tables.store import Store

_STRETCH_S = 0.02


class Dated(NamedTuple):
    """An operation of a document, by what its streams are brought into one order."""

    time: str
    is_elsewhere: bool
    stream: Stream
    operation: Operation


class ChangeReader:
    """Reads one partition's operation store, which must hold what it is asked about."""

    def __init__(
        self, store: Store, write: WriteTables, replay: Replay, settings: Settings, *, topic: str
    ) -> None:
        self._store = store
        self._topic = topic
        self._operations = write.operations
        self._states = PastStates(
            replay,
            write.operations,
            write.keyframes,
            write.cache,
            streams_max=settings.cache_documents_max,
        )
        self._since = 0.0

    @property
    def position(self) -> Offset:
        """The next offset that the operation store lacks."""
        return self._store.positions().get(self._topic, Offset(0))

    def is_erased(self, document_id: str) -> bool:
        """Whether nothing is left of a document's operations."""
        return self._operations.erased(document_id) is not None

    async def change(
        self, stream: Stream, operation: Operation, *, offset: int, is_replay: bool
    ) -> Change:
        """One operation as a read model is given it. CorruptHistory where its stream has a gap."""
        superseded: tuple[Operation, ...] = ()
        if operation.skip:
            superseded = await self._superseded(stream, operation)
        return Change(
            document_id=stream.document_id,
            document_type=operation.document_type,
            scope=stream.scope,
            branch=stream.branch,
            operation=operation,
            superseded=superseded,
            offset=offset,
            is_replay=is_replay,
            ask=partial(self._state, stream, operation),
        )

    def erasure(self, document_id: str, *, offset: int, is_replay: bool) -> Change:
        """That a document is gone; nothing is held of it here from then on."""
        self._states.forget(document_id)
        return Change(document_id, "", "", "", None, (), offset, is_replay, _nothing)

    def history(self, document_id: str) -> Iterator[tuple[Stream, Operation]]:
        """Every operation that is stored of a document now, its streams brought together by time.

        Each stream in its own order, a creation before everything else.
        """
        streams = self._operations.streams_of(document_id)
        parts = [self._dated(stream, head.next_index) for stream, head in streams]
        return ((one.stream, one.operation) for one in merge(*parts, key=_by_time))

    def begin(self) -> None:
        """Let go of what only the operations of one batch have in common."""
        self._states.begin()

    def clear(self) -> None:
        """Drop every state that is held."""
        self._states.clear()

    async def _superseded(self, stream: Stream, operation: Operation) -> tuple[Operation, ...]:
        least, found = operation.index - operation.skip, list[Operation]()
        async for index, _, content in standing(self._operations, stream, operation.index - 1):
            if index < least:
                break
            found.append(Operation.decode(content))
        return tuple(reversed(found))

    async def _state(self, stream: Stream, operation: Operation) -> JSON:
        if perf_counter() - self._since > _STRETCH_S:
            await asyncio.sleep(0)
            self._since = perf_counter()
        return decode((await self._states.after(stream, operation)).content)

    def _dated(self, stream: Stream, next_index: int) -> Iterator[Dated]:
        latest = ""
        for content in self._contents(stream, next_index):
            operation = Operation.decode(content)
            action = operation.action
            if rank(action.scope, action.type, action.input) == LATER:
                latest = max(latest, operation.timestamp)
            yield Dated(latest, stream != stream.home, stream, operation)

    def _contents(self, stream: Stream, next_index: int) -> Iterator[bytes]:
        for first in range(0, next_index, PAGE):
            count = min(PAGE, next_index - first)
            contents = dict(self._operations.page(stream, first, count))
            for index in range(first, first + count):
                if index not in contents:
                    raise CorruptHistoryError(f"{stream.prefix}: no operation {index}")
                yield contents[index]


def _by_time(one: Dated) -> tuple[str, bool, Stream]:
    return one.time, one.is_elsewhere, one.stream


async def _nothing() -> JSON:
    return None
