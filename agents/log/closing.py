"""Clients on their way out: let go of in bounded time, whatever the broker does."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import structlog

_log = structlog.get_logger()


class Client(Protocol):
    """What can be stopped: an aiokafka producer or consumer."""

    async def stop(self) -> None: ...


class Closing:
    """Stops clients. One that cannot finish while the broker is away goes on in the background.

    aiokafka's producers wait for what they have sent before they stop, for ever if need be.
    """

    def __init__(self, *, wait_s: float) -> None:
        self._wait_s = wait_s
        self._living: set[Client] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def watch(self, client: Client) -> None:
        """Stop this one at the end, if nobody does before."""
        self._living.add(client)

    async def stop(self, client: Client) -> None:
        """Returns when it has stopped, and at the latest after the wait."""
        self._living.discard(client)
        task = asyncio.create_task(client.stop())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task}, timeout=self._wait_s)

    async def finish(self) -> None:
        """Stop all that still live, and give up on those that cannot."""
        await asyncio.gather(*(self.stop(client) for client in tuple(self._living)))
        left = tuple(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.warning("a Kafka client did not stop cleanly", error=repr(error))
