"""A node's events behind a socket, and a wire to it that can be cut."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from docreactor.gateway.events.hub import Hub
from docreactor.gateway.events.reply import EventReply
from docreactor.gateway.events.wish import Wish
from docreactor.gateway.figures import Figures
from docreactor.gateway.server import listen, serving
from tests.gateway.events.scene import EVERYTHING, Scene

BUFFER_BYTES = 4_096
"""What the kernel may hold for a reader who is slow."""


@dataclass(slots=True)
class Front:
    """An app that answers every call with a stream of events."""

    hub: Hub
    figures: Figures
    heartbeat_s: float
    url: str = ""
    wish: Wish = EVERYTHING

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(b"last-event-id")
        reply = EventReply(
            self.hub,
            self.wish,
            given and given.decode(),
            figures=self.figures,
            heartbeat_s=self.heartbeat_s,
            headers={"x-here": "1"},
        )
        await reply(scope, receive, send)

    def figure(self, name: str, **labels: str) -> float:
        return self.figures.registry.get_sample_value(f"docreactor_{name}", labels) or 0.0


@asynccontextmanager
async def front(
    here: Scene, *, events_max: int = 1_000, heartbeat_s: float = 60.0
) -> AsyncGenerator[Front]:
    app = Front(here.hub(events_max), Figures(), heartbeat_s)
    listener = listen("127.0.0.1", 0, None)
    listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    app.url = listener.url
    async with serving(app, listener), app.hub.running():
        yield app


@dataclass(slots=True)
class Wire:
    """Passes on what goes between a client and a server, as long as it is whole."""

    target: str
    url: str = ""
    opened: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    def cut(self) -> None:
        """Break every connection that is open."""
        for writer in self._writers:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end has gone."""
        self.opened += 1
        there = urlsplit(self.target)
        assert there.hostname is not None
        try:
            answers, requests = await asyncio.open_connection(there.hostname, there.port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, requests}
        self._writers |= both
        try:
            await asyncio.gather(_pass_on(reader, requests), _pass_on(answers, writer))
        except OSError:
            pass
        finally:
            self._writers -= both
            for one in both:
                one.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()
    raise ConnectionResetError


@asynccontextmanager
async def wire(target: str) -> AsyncGenerator[Wire]:
    """A wire to this address."""
    one = Wire(target)
    async with await asyncio.start_server(one.carry, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        one.url = f"http://127.0.0.1:{port}"
        yield one
        one.cut()
