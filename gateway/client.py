"""The Python client: the calls of HTTP, typed and async."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from docreactor.gateway.calls import Calls
from docreactor.gateway.changes import Until
from docreactor.gateway.connection import HTTPConnection
from docreactor.gateway.reading import Tokens
from docreactor.gateway.session import Session

DEFAULT_URL = "http://127.0.0.1:8080"
RETRY_FOR_S = 30.0


class Reactor(Calls):
    """A deployment, by the URL of any of its nodes. Use it in `async with`.

    A problem document is raised as the error of its name. What may pass (no connection, 429, 503)
    is tried again for `retry_for_s`; a mutation carries an Idempotency-Key, so it is stored once.
    Whoever cancels a call closes its connection, which ends it at the node too.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        retry_for_s: float = RETRY_FOR_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        super().__init__(
            HTTPConnection(self.url, token=token, retry_for_s=retry_for_s, transport=transport)
        )

    def session(self, *, token: Tokens = None, wait: Until | None = "write") -> Session:
        """Calls that read what they wrote. It begins with what the tokens name.

        Its changes wait until they are written, or as `wait` says: until reads show them, or not
        at all; then the next read waits for them.
        """
        return Session(self._connection, self.url, token=token, wait=wait)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connection.close()
