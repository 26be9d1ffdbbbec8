"""A reply that does not end by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from docreactor.gateway.connection import HTTPConnection
from docreactor.gateway.reply import refuse
from docreactor.gateway.stream import Stream
from docreactor.pipeline.errors import (
    ClientClosedError,
    ServerUnreachableError,
    UnauthorizedError,
)

URL = "http://reactor"


class Pieces(httpx.AsyncByteStream):
    """A body in pieces; an error breaks it, and None keeps it waiting for ever."""

    def __init__(self, pieces: Sequence[bytes | Exception | None]) -> None:
        self.pieces = pieces
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            if piece is None:
                await asyncio.Event().wait()
            else:
                yield piece

    async def aclose(self) -> None:
        self.is_closed = True


class Server(httpx.AsyncBaseTransport):
    """Answers with these, one after the other, and takes note of what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def connection(server: Server, retry_for_s: float = 5.0) -> HTTPConnection:
    return HTTPConnection(URL, token="secret", retry_for_s=retry_for_s, transport=server)


async def opened(to: HTTPConnection) -> Stream:
    return await to.stream(
        "/v1/events", parameters={"a": "b", "c": None}, headers={"x-y": "z"}, silence_s=7.0
    )


async def test_it_is_read_piece_by_piece_to_its_end() -> None:
    body = Pieces([b"one", b"two"])
    server = Server(httpx.Response(200, stream=body))
    stream = await opened(connection(server))

    assert [await stream.read() for _ in range(4)] == [b"one", b"two", b"", b""]
    await stream.close()
    assert body.is_closed
    (request,) = server.asked
    assert str(request.url) == f"{URL}/v1/events?a=b"
    assert request.headers["x-y"] == "z"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.extensions["timeout"]["read"] == 7.0


async def test_one_that_breaks_says_so_by_name() -> None:
    body = Pieces([b"one", httpx.ReadError("torn")])
    stream = await opened(connection(Server(httpx.Response(200, stream=body))))
    assert await stream.read() == b"one"

    with pytest.raises(ServerUnreachableError, match="torn"):
        await stream.read()

    await stream.close()
    await stream.close()


async def test_what_may_pass_is_tried_again_before_it_begins() -> None:
    server = Server(httpx.ConnectError("refused"), httpx.Response(200, stream=Pieces([b"one"])))

    stream = await opened(connection(server))

    assert await stream.read() == b"one"
    assert len(server.asked) == 2


async def test_what_is_refused_is_raised_by_its_name() -> None:
    refusal = refuse(UnauthorizedError())
    headers = dict(refusal.headers)
    server = Server(
        httpx.Response(401, content=bytes(refusal.body), headers=headers),
        httpx.Response(404, content=b"nobody here"),
    )
    to = connection(server, retry_for_s=0.0)

    with pytest.raises(UnauthorizedError):
        await opened(to)
    with pytest.raises(ServerUnreachableError, match="404"):
        await opened(to)


async def test_closing_the_client_ends_whoever_reads() -> None:
    to = connection(Server(httpx.Response(200, stream=Pieces([b"one", None]))))
    stream = await opened(to)
    assert await stream.read() == b"one"

    async def read() -> None:
        with pytest.raises(ClientClosedError):
            await stream.read()

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        await asyncio.sleep(0)
        await to.close()
        await reading
    with pytest.raises(ClientClosedError):
        await opened(to)
