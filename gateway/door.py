"""What stands before the gateway's app: it answers while there is no node, and for who must go."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from docreactor.gateway.reply import Reply, refuse
from docreactor.pipeline.errors import LogError, ReactorError, ShuttingDownError

_NOT_YET = LogError("this node is not connected to Kafka: try again shortly")


class Door:
    """An ASGI app for HTTP: closed until the node behind it is open.

    Closed, `/healthz` says why with 200, and everything else with 503.
    """

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._reason: ReactorError = _NOT_YET

    def open(self, app: ASGIApp) -> None:
        """Let everybody in."""
        self._app = app

    def close(self, reason: ReactorError = _NOT_YET) -> None:
        """Let nobody in, and say why."""
        self._app, self._reason = None, reason

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            await self._reply(scope["path"])(scope, receive, send)
            return
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            # The server stops, and this call has used up its time.
            if not begun:
                await refuse(ShuttingDownError())(scope, receive, send)

    def _reply(self, path: str) -> Reply:
        if path == "/healthz":
            # Alive: a restart would not bring the broker back.
            return Reply({"status": "waiting", "reason": self._reason.message})
        return refuse(self._reason)
