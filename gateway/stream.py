"""A reply that does not end by itself, read piece by piece."""

from __future__ import annotations

import httpx

from docreactor.gateway.underway import Underway
from docreactor.pipeline.errors import ServerUnreachableError


class Stream:
    """The body of one reply. It must be closed."""

    def __init__(self, reply: httpx.Response, url: str, underway: Underway) -> None:
        self._reply = reply
        self._pieces = reply.aiter_bytes()
        self._url = url
        self._underway = underway

    async def read(self) -> bytes:
        """The next piece; nothing at its end.

        ServerUnreachable where it breaks or falls silent, ClientClosed once the client was closed.
        """
        async with self._underway.call():
            try:
                return await anext(self._pieces, b"")
            except httpx.TransportError as cause:
                raise ServerUnreachableError(self._url, str(cause) or "no word in time") from cause

    async def close(self) -> None:
        """Let go of the connection. Idempotent."""
        await self._reply.aclose()
