"""An HTTP client that costs little, so that what is timed is the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

_CONNECTIONS_MAX = 512
_NONE: Mapping[str, str] = {}
_IDLE_MAX_S = 2.0
"""Less than servers wait before they close a connection."""


class Answer(NamedTuple):
    """What came back. `head` is the status line and the headers as they came."""

    status: int
    body: bytes
    head: bytes = b""

    def header(self, name: str) -> str | None:
        """A header's value; None when there is none of this name."""
        wanted = f"{name}:".lower().encode()
        for line in self.head.split(b"\r\n"):
            if line[: len(wanted)].lower() == wanted:
                return line[len(wanted) :].strip().decode("latin-1")
        return None


class Connection(NamedTuple):
    """A kept-alive connection, for one request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Wire:
    """Connections to one address: opened when none is idle, kept, bounded in number.

    It understands what our own server sends: HTTP/1.1 with a Content-Length.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: list[tuple[Connection, float]] = []
        self._room = asyncio.Semaphore(_CONNECTIONS_MAX)

    async def get(self, path: str) -> Answer:
        """The answer to a GET. OSError when the connection breaks."""
        return await self.ask("GET", path)

    async def post(self, path: str, body: bytes) -> Answer:
        """The answer to a POST of JSON. OSError when the connection breaks."""
        return await self.ask("POST", path, body)

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = _NONE
    ) -> Answer:
        """The answer to any request. OSError when the connection breaks."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        async with self._room:
            connection = self._rested() or await self._open()
            try:
                answer = await _exchange(connection, f"{head}\r\n".encode() + body)
            except BaseException:
                connection.writer.close()
                raise
            self._idle.append((connection, time.monotonic()))
        return answer

    def _rested(self) -> Connection | None:
        """An idle connection that the server has not closed for being idle."""
        now = time.monotonic()
        while self._idle:
            connection, since = self._idle.pop()
            if now - since < _IDLE_MAX_S and not connection.reader.at_eof():
                return connection
            connection.writer.close()
        return None

    async def _open(self) -> Connection:
        return Connection(*await asyncio.open_connection(self._host, self._port, limit=1 << 26))

    async def close(self) -> None:
        """Close what is idle."""
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.writer.close()
        await asyncio.gather(
            *(connection.writer.wait_closed() for connection, _ in idle), return_exceptions=True
        )


@asynccontextmanager
async def open_wire(url: str) -> AsyncIterator[Wire]:
    """A client of the address, closed at the end of the block."""
    wire = Wire(url)
    try:
        yield wire
    finally:
        await wire.close()


async def _exchange(connection: Connection, request: bytes) -> Answer:
    connection.writer.write(request)
    try:
        head = await connection.reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next(
            (int(line[15:]) for line in lines if line[:15].lower() == b"content-length:"), 0
        )
        body = await connection.reader.readexactly(length) if length else b""
    except asyncio.IncompleteReadError as cause:
        raise ConnectionResetError("the server closed the connection") from cause
    return Answer(int(lines[0].split(b" ", 2)[1]), body, head)
