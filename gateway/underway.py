"""The calls of a client that are under way, so that closing it ends each of them by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from docreactor.pipeline.errors import ClientClosedError


class Underway:
    """Knows them from their begin to their end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._calls: set[asyncio.Timeout] = set()
        self._ended = asyncio.Event()
        self._is_closed = False

    @asynccontextmanager
    async def call(self) -> AsyncGenerator[None]:
        """One call; ClientClosed once `close` was called, before it or meanwhile."""
        if self._is_closed:
            raise ClientClosedError(self._url)
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._calls.add(scope)
                try:
                    yield
                finally:
                    self._calls.discard(scope)
                    self._ended.set()
        except TimeoutError as cause:
            if not scope.expired():
                raise
            raise ClientClosedError(self._url) from cause

    async def close(self) -> None:
        """End them; returns when they have ended. Idempotent."""
        self._is_closed = True
        now_s = asyncio.get_running_loop().time()
        for scope in self._calls:
            scope.reschedule(now_s)
        while self._calls:
            self._ended.clear()
            await self._ended.wait()
