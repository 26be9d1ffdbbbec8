"""A part of the worker: an async context that lives under Faust's supervision."""

# Parts of mode's public names carry no types.
# pyright: basic
from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from mode import Service


class Part(Service):
    """Entered when the worker starts, left when it stops.

    The context is entered and left by one task, as task groups demand. The worker goes on
    starting once it is entered. An error of its own, at any time, ends the worker.
    """

    mundane_level = "debug"

    def __init__(self, name: str, context: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        super().__init__()
        self._name = name
        self._context = context
        self._entered = asyncio.Event()
        self._leaving = asyncio.Event()
        self._life: asyncio.Future[None] | None = None

    @property
    def label(self) -> str:
        """What the journal calls it."""
        return self._name

    async def on_start(self) -> None:
        """Enter; returns when entered, stopped or failed."""
        self._life = self.add_future(self._live())
        await self.wait(self._entered.wait())

    async def on_stop(self) -> None:
        """Leave; returns when left."""
        await self.leave()

    async def leave(self) -> None:
        """Leave, or give up entering, ahead of the worker's own order. Idempotent."""
        self._leaving.set()
        if self._life is not None:
            if not self._entered.is_set():
                self._life.cancel()
            await asyncio.wait((self._life,))

    async def _live(self) -> None:
        async with self._context():
            self._entered.set()
            await self._leaving.wait()
