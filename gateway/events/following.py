"""A stream of events as the Python client follows it: across breaks, from node to node."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import orjson

from docreactor.gateway.connection import Connection, Parameters
from docreactor.gateway.events.answers import AnyEvent, DocumentEvent, RelationshipEvent
from docreactor.gateway.events.lines import OVERFLOW, RETRY_MS, Block, Lines
from docreactor.gateway.events.notice import CREATED, DELETED, RELATED, UPDATED
from docreactor.gateway.stream import Stream
from docreactor.pipeline.errors import ServerUnreachableError

_PATH = "/v1/events"
_SILENCE_S = 45.0
"""Longer than the longest heartbeat that a deployment may choose."""
_KINDS: dict[str, type[AnyEvent]] = {
    CREATED: DocumentEvent,
    UPDATED: DocumentEvent,
    DELETED: DocumentEvent,
    RELATED: RelationshipEvent,
}


class Events:
    """Events in the order in which they are told, without an end. Use it in `async with`.

    Inside of the block it is live: nothing that is written from then on is missed. A stream that
    breaks is asked for again, from the last event on: none is lost, and none comes twice. What
    cannot be cured so is raised; a later `anext` tries again.
    """

    def __init__(
        self,
        connection: Connection,
        parameters: Parameters,
        *,
        cursor: str | None,
        learn: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._learn = learn
        self._parameters = parameters
        self._cursor = cursor
        self._stream: Stream | None = None
        self._lines = Lines()
        self._blocks: deque[Block] = deque()
        self._retry_s = RETRY_MS / 1_000
        self._pause_s = 0.0
        self._is_closed = False

    @property
    def cursor(self) -> str | None:
        """Where whoever has seen the last event goes on; None before the stream has begun."""
        return self._cursor

    async def aclose(self) -> None:
        """End it. Idempotent."""
        self._is_closed = True
        await self._let_go()

    async def __aenter__(self) -> Self:
        while self._stream is None:
            await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        while not self._is_closed:
            if self._blocks:
                event = self._hear(self._blocks.popleft())
                if event is not None:
                    return event
            elif self._stream is None:
                await self._open()
            else:
                await self._read(self._stream)
        raise StopAsyncIteration

    async def _open(self) -> None:
        """Ask for the stream, and hear where it begins."""
        await asyncio.sleep(self._pause_s)
        self._pause_s = self._retry_s
        headers = {} if self._cursor is None else {"last-event-id": self._cursor}
        self._lines = Lines()
        stream = self._stream = await self._connection.stream(
            _PATH, parameters=self._parameters, headers=headers, silence_s=_SILENCE_S
        )
        while not self._blocks and self._stream is stream:
            await self._read(stream)
        if self._blocks:
            self._hear(self._blocks.popleft())

    async def _read(self, stream: Stream) -> None:
        try:
            piece = await stream.read()
        except ServerUnreachableError:
            piece = b""
        if piece:
            self._blocks.extend(self._lines.take(piece))
        else:
            await self._let_go()

    async def _let_go(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    def _hear(self, block: Block) -> AnyEvent | None:
        """The event of a block, if it is one that is known here."""
        if block.retry_ms is not None:
            self._retry_s = self._pause_s = block.retry_ms / 1_000
        if block.id is not None:
            self._cursor = block.id
        if block.event == OVERFLOW:
            # The rest is there to be had.
            self._pause_s = 0.0
        kind = _KINDS.get(block.event)
        if kind is None or block.data is None:
            return None
        told = orjson.loads(block.data)
        event = kind.model_validate({**told, "event": block.event, "cursor": self._cursor})
        self._learn(event.token)
        return event
