"""What a lane does while its worker lacks a model: it says so, waits, and looks again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import structlog

from docreactor.agents.inbox import Inbox
from docreactor.pipeline.errors import ReactorError, UnknownModelError
from docreactor.pipeline.registry import Registry

_log = structlog.get_logger(__name__)

FIRST_S = 0.1
LONGEST_S = 5.0
_TURN_S = 0.2
_LOOKING_S = 0.01

Result = TypeVar("Result")
Meanwhile = Callable[[], Awaitable[None]]
Tell = Callable[[UnknownModelError | None], None]
"""Told what is lacking, and None when it goes on."""


class LeftError(Exception):
    """The partition went before the work could be done."""


class Pause:
    """One lane's. The model may be installed meanwhile, or the partition go to whoever has it."""

    def __init__(
        self, inbox: Inbox, registry: Registry, tell: Tell, random: Callable[[], float]
    ) -> None:
        self._inbox = inbox
        self._registry = registry
        self._tell = tell
        self._random = random

    async def over(
        self, work: Callable[[], Awaitable[Result]], meanwhile: Meanwhile | None = None
    ) -> Result:
        """Do the work, again and again while it ends in UnknownModel.

        Raises LeftError when the inbox is closed before it is done. `meanwhile` is called five
        times a second while nothing else goes on.
        """
        wait_s, told = FIRST_S, ""
        try:
            while True:
                try:
                    return await work()
                except UnknownModelError as error:
                    if str(error) != told:
                        self._tell(error)
                        told = str(error)
                await self.wait(wait_s * (1 + self._random()) / 2, meanwhile)
                await self._look(meanwhile)
                wait_s = min(LONGEST_S, 2 * wait_s)
        finally:
            if told:
                self._tell(None)

    async def wait(self, wait_s: float, meanwhile: Meanwhile | None) -> None:
        """Let time pass; LeftError as soon as the inbox is closed. `meanwhile` as in `over`."""
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + wait_s
        while (left_s := until_s - now_s()) > 0:
            if await self._inbox.closed(min(left_s, _TURN_S)):
                raise LeftError
            if meanwhile is not None:
                await meanwhile()

    async def _look(self, meanwhile: Meanwhile | None) -> None:
        """Find what was installed; importing it may take long."""
        before = self._registry.failures
        looking = asyncio.ensure_future(asyncio.to_thread(self._registry.refresh))
        try:
            while not looking.done():
                await self.wait(_LOOKING_S, meanwhile)
            await looking
        finally:
            looking.cancel()
        tell_failures(self._registry, before)


def tell_failures(registry: Registry, known: Mapping[str, ReactorError]) -> None:
    """Tell the journal what packages do not bring, but for what is known."""
    for spec, failure in registry.failures.items():
        if str(failure) != str(known.get(spec)):
            _log.warning("a package's models are not here", package=spec, error=str(failure))
