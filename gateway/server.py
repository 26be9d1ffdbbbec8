"""The HTTP server of one process: uvicorn, without a life of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from docreactor.pipeline.errors import AddressInUseError

BACKLOG = 2_048
# Other nodes keep their connections: one that we close while a request is on its way fails it.
KEEP_ALIVE_S = 75
# Whoever waits for a job when the stop begins gets so long for the answer.
GRACE_S = 2


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket, and the base URL that it has on this machine and for others."""

    socket: socket.socket
    url: str
    advertised_url: str


def listen(host: str, port: int, advertised_url: str | None) -> Listener:
    """Bind the address; port 0 takes a free one. AddressInUse when it cannot be had."""
    try:
        bound = socket.create_server(
            (host, port), family=_family(host), backlog=BACKLOG, dualstack_ipv6=False
        )
    except OSError as error:
        raise AddressInUseError(host, port, error.strerror or str(error)) from error
    bound.setblocking(False)
    # Every connection inherits it: without, an answer in two writes waits 40 ms for the first to
    # be acknowledged.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    taken = bound.getsockname()[1]
    anywhere = host in ("0.0.0.0", "::", "")
    here = "127.0.0.1" if anywhere else host
    elsewhere = _name_of_this_machine() if anywhere else host
    return Listener(bound, _url(here, taken), advertised_url or _url(elsewhere, taken))


@asynccontextmanager
async def serving(app: ASGIApp, listener: Listener) -> AsyncGenerator[None]:
    """Answer requests while the block runs; it starts when the first can be answered.

    Leaving, new connections are refused at once, and requests under way get `GRACE_S`. A server
    that ends by itself ends the block.
    """
    server = _Server(
        uvicorn.Config(
            app,
            access_log=False,
            backlog=BACKLOG,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=KEEP_ALIVE_S,
            ws="none",
        )
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener.socket]))
        await server.listening.wait()
        try:
            yield
        finally:
            server.should_exit = True


class _Server(uvicorn.Server):
    """Signals are the worker's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()


def _name_of_this_machine() -> str:
    """What others may call it; the loopback where the name leads nowhere, as on many a laptop."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return "127.0.0.1"
    return name


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
