"""The reply to a subscription, over a real socket: nothing else can send a part of an answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest

from docreactor.gateway.events.lines import OVERFLOW, Block, Lines
from docreactor.gateway.events.notice import UPDATED
from docreactor.gateway.events.reply import EventReply
from docreactor.gateway.events.wish import Wish
from docreactor.gateway.figures import Figures
from docreactor.gateway.server import listen, serving
from docreactor.pipeline.errors import InvalidInputError
from tests.gateway.events.front import BUFFER_BYTES, Front, front
from tests.gateway.events.scene import EVERYTHING, operation, scene, taken
from tests.support.nodes import until


class Reader:
    """Reads blocks as they come."""

    def __init__(self, reply: httpx.Response) -> None:
        self.headers = reply.headers
        self._pieces = reply.aiter_bytes()
        self._lines = Lines()
        self._blocks: list[Block] = []

    async def next(self) -> Block | None:
        """The next block; None at the end."""
        async with asyncio.timeout(10):
            while not self._blocks:
                piece = await anext(self._pieces, None)
                if piece is None:
                    return None
                self._blocks += self._lines.take(piece)
            return self._blocks.pop(0)

    async def event(self) -> Block:
        """The next block that is an event."""
        while (block := await self.next()) is not None:
            if block.data is not None:
                return block
        raise AssertionError("the stream ended")


@asynccontextmanager
async def reading(url: str, cursor: str | None = None) -> AsyncGenerator[Reader]:
    headers = {} if cursor is None else {"last-event-id": cursor}
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)]
    transport = httpx.AsyncHTTPTransport(socket_options=small)
    async with (
        httpx.AsyncClient(timeout=10, transport=transport) as client,
        client.stream("GET", url, headers=headers) as reply,
    ):
        assert reply.status_code == 200
        yield Reader(reply)


async def test_it_begins_with_a_comment_and_is_live_from_there() -> None:
    async with scene() as here, front(here) as app, reading(app.url) as reader:
        here.show_all()
        assert reader.headers["content-type"].startswith("text/event-stream")
        assert reader.headers["cache-control"] == "no-store"
        assert reader.headers["x-here"] == "1"
        assert "content-length" not in reader.headers
        first = await reader.next()
        assert first is not None
        assert (first.comment, first.retry_ms, first.data) == ("live", 1_000, None)
        assert first.id == (await here.cursor()).text

        await here.store(operation("d1"))

        event = await reader.event()
        assert event.event == UPDATED
        assert '"document_id":"d1"' in (event.data or "")
        await until(lambda: app.figure("events_total", event=UPDATED) == 1)


async def test_whoever_breaks_off_goes_on_with_the_last_id() -> None:
    async with scene() as here, front(here) as app:
        here.show_all()
        async with reading(app.url) as reader:
            await reader.next()
            assert app.figure("event_subscribers") == 1
            await here.store(operation("d1"), operation("d2"))
            seen = await reader.event()
        await until(lambda: app.hub.count == 0)
        assert app.figure("event_subscribers") == 0
        assert not app.hub.is_reading
        await here.store(operation("d3"))

        async with reading(app.url, seen.id) as reader:
            rest = [await reader.event() for _ in range(2)]

    assert ["d2" in (rest[0].data or ""), "d3" in (rest[1].data or "")] == [True, True]


async def test_a_silent_stream_says_so_and_where_to_go_on() -> None:
    async with scene() as here, front(here, heartbeat_s=0.05) as app:
        here.show_all()
        app.wish = Wish(ids=frozenset({"nobody"}))
        async with reading(app.url) as reader:
            first = await reader.next()
            await here.store(operation("d1"))
            moved = (await here.ground.ends())[here.ground.sources[0]] - 1
            assert first is not None
            assert first.id is not None
            async with asyncio.timeout(5):
                while (beat := await reader.next()) is not None:
                    assert (beat.comment, beat.data) == ("", None)
                    if f".{moved}-" in (beat.id or ""):
                        break


async def test_a_reader_that_is_too_slow_is_told_and_loses_nothing() -> None:
    count = 500
    async with scene() as here, front(here, events_max=50) as app:
        here.show_all()
        seen: list[str] = []
        async with reading(app.url) as reader:
            await reader.next()
            # Nobody reads meanwhile: what the connection holds is full long before the end.
            async with app.hub.subscription(EVERYTHING, None) as other:
                for at in range(count):
                    await here.store(operation(f"d{at}" + "x" * 190))
                    await taken(other, 1)
            while (block := await reader.event()).event != OVERFLOW:
                seen.append(block.data or "")
            assert await reader.next() is None
        assert 0 < len(seen) < count
        cursor = block.id
        async with reading(app.url, cursor) as reader:
            while len(seen) < count:
                seen.append((await reader.event()).data or "")
        assert app.figure("event_overflows_total") == 1

    assert [f'"d{at}x' in one for at, one in enumerate(seen)] == [True] * count


async def test_the_end_of_the_node_ends_the_stream_in_order() -> None:
    async with scene() as here:
        app = Front(here.hub(), Figures(), 60.0)
        listener = listen("127.0.0.1", 0, None)
        async with serving(app, listener):
            async with app.hub.running():
                opened = reading(listener.url)
                reader = await opened.__aenter__()
                first = await reader.next()
            last = await reader.next()
            assert first is not None
            assert last is not None
            assert (last.comment, last.id) == (
                "this node stops; ask again, with the last id",
                first.id,
            )
            assert await reader.next() is None
            await opened.__aexit__(None, None, None)


async def test_a_log_that_cannot_be_read_ends_the_stream_with_a_comment() -> None:
    async with scene() as here, front(here) as app, reading(app.url) as reader:
        await reader.next()

        await here.log.break_readers()

        last = await reader.next()
        assert last is not None
        assert (last.comment or "").startswith("the log cannot be read")
        assert await reader.next() is None


async def test_what_is_refused_is_refused_before_the_stream_begins() -> None:
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    async with scene() as here:
        hub = here.hub()
        async with hub.running():
            reply = EventReply(
                hub, EVERYTHING, "nonsense", figures=Figures(), heartbeat_s=1.0, headers={}
            )
            with pytest.raises(InvalidInputError):
                await reply({"type": "http"}, receive, send)

    assert sent == []
