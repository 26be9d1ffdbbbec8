"""The reply to a subscription: a stream that lasts until one of the two goes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from docreactor.gateway.attendance import attended
from docreactor.gateway.events.hub import Hub
from docreactor.gateway.events.lines import MEDIA_TYPE, OVERFLOW, RETRY_MS, block
from docreactor.gateway.events.subscription import Ending, Subscription, Told
from docreactor.gateway.events.wish import Wish
from docreactor.gateway.figures import Figures
from docreactor.pipeline.errors import LogError

_LIVE = "live"


class EventReply(Response):
    """Subscribes when it is sent, so that what is refused is refused before the stream begins.

    It writes no faster than the caller reads: the subscription's mailbox takes the difference.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        hub: Hub,
        wish: Wish,
        cursor: str | None,
        *,
        figures: Figures,
        heartbeat_s: float,
        headers: Mapping[str, str],
    ) -> None:
        # A proxy that collects or keeps what passes would hold events back.
        unheld = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(headers={**headers, **unheld})
        del self.headers["content-length"]
        self._hub = hub
        self._wish = wish
        self._cursor = cursor
        self._figures = figures
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until the caller has gone or the subscription has ended."""
        async with self._hub.subscription(self._wish, self._cursor) as subscription:
            with self._figures.subscriber():
                await attended(Request(scope, receive), self._stream(subscription, send))

    async def _stream(self, subscription: Subscription, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )

        async def write(content: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": content, "more_body": more})

        loop = asyncio.get_running_loop()
        await write(block(comment=_LIVE, retry_ms=RETRY_MS, id=subscription.cursor.text))
        written_at = loop.time()
        while subscription.ending is None:
            left_s = written_at + self._heartbeat_s - loop.time()
            told = await _take(subscription, max(0.0, left_s))
            if told:
                await write(b"".join(map(_event, told)))
                self._figures.told(one.notice.event for one in told)
            elif loop.time() >= written_at + self._heartbeat_s:
                await write(block(comment="", id=subscription.cursor.text))
            else:
                continue
            written_at = loop.time()
        await write(self._last(subscription.ending, subscription.cursor.text), more=False)

    def _last(self, ending: Ending, cursor: str) -> bytes:
        if ending is Ending.OVERFLOW:
            self._figures.overflowed()
            return block(comment=ending.value, event=OVERFLOW, id=cursor, data=b"{}")
        return block(comment=ending.value, id=cursor)


async def _take(subscription: Subscription, timeout_s: float) -> list[Told]:
    try:
        return await subscription.take(timeout_s)
    except LogError:
        subscription.end(Ending.LOST)
        return []


def _event(told: Told) -> bytes:
    return block(event=told.notice.event, id=told.cursor, data=told.notice.data)
