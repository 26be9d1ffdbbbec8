"""One worker process, from its settings to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from docreactor.agents.node import Node
from docreactor.agents.worker import Worker
from docreactor.gateway.announcement import Announcement
from docreactor.gateway.app import create_app
from docreactor.gateway.broker.lock import open_locked
from docreactor.gateway.door import Door
from docreactor.gateway.guard import check_exposure
from docreactor.gateway.memory import collect_rarely, hand_memory_back
from docreactor.gateway.server import Listener, listen, serving
from docreactor.pipeline.errors import ReactorError, ShuttingDownError, StoreLockedError
from docreactor.pipeline.registry import load
from docreactor.pipeline.settings import Settings


class HttpFront:
    """The gateway's side of a worker: a listener, a door, and the app behind it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._door = Door()

    @property
    def url(self) -> str:
        """What other nodes call this one."""
        return self._listener.advertised_url

    def serving(self) -> AbstractAsyncContextManager[None]:
        """Answers while the block runs."""
        return serving(self._door, self._listener)

    @asynccontextmanager
    async def opened(self, node: Node) -> AsyncGenerator[None]:
        """Lets callers in to the node while the block runs."""
        app = create_app(node)
        async with app.router.lifespan_context(app):
            self._door.open(app)
            try:
                yield
            finally:
                node.stop()
                self._door.close(ShuttingDownError())

    def tell(self, reason: ReactorError) -> None:
        """Why there is no node yet."""
        self._door.close(reason)


def run_worker(
    settings: Settings,
    models: Sequence[str],
    *,
    bootstrap_servers: str,
    supervised: bool,
    is_gateway_only: bool,
    announce: Callable[[Announcement], None],
    listens: Callable[[str], None],
) -> None:
    """Run a worker until it is told to stop; what ends it otherwise is raised.

    `listens` is told its URL, at which it answers from then on, and `announce` when it is ready.
    A gateway alone joins no group. With `supervised` it also stops when its standard input ends:
    its supervisor is gone then.
    """
    check_exposure(settings)
    registry = load(models)
    collect_rarely()
    hand_memory_back()
    home = settings.data.absolute() / settings.app
    with ExitStack() as running:
        # The reducers' timer ticks on for a moment after the last of them: a tick that comes when
        # the interpreter has let go of its handlers would end the process by SIGALRM.
        running.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        running.enter_context(_occupied(home))
        listener = listen(settings.host, settings.port, settings.advertised_url)
        running.enter_context(listener.socket)
        listens(listener.url)
        announcement = _announcement(settings, listener.url, bootstrap_servers)
        worker = Worker(
            settings=settings,
            registry=registry,
            home=home,
            bootstrap_servers=bootstrap_servers,
            front=HttpFront(listener),
            announce=lambda: announce(announcement),
            is_gateway_only=is_gateway_only,
        )
        runner = running.enter_context(asyncio.Runner())
        # A terminal that is closed stops a worker as kill does.
        runner.get_loop().add_signal_handler(signal.SIGHUP, signal.raise_signal, signal.SIGTERM)
        if supervised:
            stop_with(runner.get_loop(), sys.stdin.fileno())
        runner.run(worker.run())


def _announcement(settings: Settings, url: str, broker: str) -> Announcement:
    data = str(settings.data.absolute())
    return Announcement(
        url=url, urls=(url,), app=settings.app, data=data, broker=broker, pids=(os.getpid(),)
    )


@contextmanager
def _occupied(home: Path) -> Generator[None]:
    """Keep every other worker out of the directory."""
    descriptor = open_locked(home / "lock")
    if descriptor is None:
        raise StoreLockedError(f"a worker runs in {home}: give this one another --data")
    try:
        yield
    finally:
        os.close(descriptor)


def stop_with(loop: asyncio.AbstractEventLoop, lifeline: int) -> None:
    """Stop when the other end of the pipe is closed, however its holder died."""

    def hear() -> None:
        if not os.read(lifeline, 1):
            loop.remove_reader(lifeline)
            signal.raise_signal(signal.SIGTERM)

    loop.add_reader(lifeline, hear)
