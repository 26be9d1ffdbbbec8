"""One HTTP connection: what is tried again, what an answer must be."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from docreactor.gateway.answers import Models
from docreactor.gateway.connection import HTTPConnection, joined
from docreactor.gateway.reply import refuse
from docreactor.pipeline.errors import (
    ClientClosedError,
    JobNotFoundError,
    ReactorError,
    RestoringError,
    ServerUnreachableError,
    TooBusyError,
)


class Script(httpx.AsyncBaseTransport):
    """A server that answers with one line of its script after the other."""

    def __init__(self, *lines: ReactorError | httpx.TransportError | bytes) -> None:
        self.lines = list(lines)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        line = self.lines.pop(0)
        if isinstance(line, httpx.TransportError):
            raise line
        if isinstance(line, bytes):
            return httpx.Response(200, content=line)
        reply = refuse(line)
        headers = (
            dict(reply.headers) | {"retry-after": "0"} if line.status >= 429 else reply.headers
        )
        return httpx.Response(reply.status_code, content=bytes(reply.body), headers=headers)


async def ask(script: Script, *, retry_for_s: float = 10) -> Models:
    connection = HTTPConnection(
        "http://node/", token="open sesame", retry_for_s=retry_for_s, transport=script
    )
    try:
        return await connection.call(
            Models, "POST", "/v1/models", parameters={"a": ["1", "2"], "b": None}, body=[], key="k"
        )
    finally:
        await connection.close()


async def test_what_may_pass_is_tried_again_with_the_same_key() -> None:
    script = Script(
        TooBusyError(backlog=2, limit=1),
        RestoringError(0, state="restoring"),
        httpx.ConnectError("refused"),
        b'{"models": [], "next_cursor": null}',
    )

    assert (await ask(script)).models == []
    assert [request.headers["idempotency-key"] for request in script.requests] == ["k"] * 4
    assert script.requests[0].headers["authorization"] == "Bearer open sesame"
    assert str(script.requests[0].url) == "http://node/v1/models?a=1&a=2"


async def test_what_will_not_pass_is_raised_at_once() -> None:
    script = Script(JobNotFoundError("j-1"))

    with pytest.raises(JobNotFoundError):
        await ask(script)
    assert len(script.requests) == 1


async def test_it_gives_up_after_its_time() -> None:
    script = Script(*[httpx.ConnectError("refused")] * 3)

    with pytest.raises(ServerUnreachableError, match="refused"):
        await ask(script, retry_for_s=0)


async def test_an_answer_that_is_no_reactors_is_named() -> None:
    with pytest.raises(ServerUnreachableError, match="not as a reactor does"):
        await ask(Script(*[b"<html>"] * 2))


def over(script: Script) -> HTTPConnection:
    return HTTPConnection("http://node", token=None, retry_for_s=10, transport=script)


async def test_a_call_may_last_as_long_as_the_server_was_told() -> None:
    script = Script(*[b'{"models": [], "next_cursor": null}'] * 3)
    connection = over(script)
    await connection.call(Models, "GET", "/", parameters={"timeout_ms": 60_000})
    await connection.call(Models, "POST", "/", body={"timeout_ms": 30_000})
    await connection.call(Models, "GET", "/", parameters={"timeout_ms": None})
    await connection.close()

    within_s = [request.extensions["timeout"]["read"] for request in script.requests]
    assert within_s == [70.0, 40.0, 10.0]


async def test_a_change_that_waits_for_nothing_says_nothing_of_it() -> None:
    script = Script(*[b'{"models": [], "next_cursor": null}'] * 2)
    connection = over(script)
    await connection.call(Models, "POST", "/", parameters={"wait": "none", "type": "none"})
    await connection.call(Models, "POST", "/", parameters={"wait": "read"})
    await connection.close()

    assert [str(one.url.query, "ascii") for one in script.requests] == ["type=none", "wait=read"]


async def test_a_page_of_text_is_read_as_it_is() -> None:
    connection = over(Script(b"up 1.0", httpx.ConnectError("refused"), b"up 2.0"))
    pages = [await connection.text("/metrics") for _ in range(2)]
    await connection.close()

    assert pages == ["up 1.0", "up 2.0"]


async def test_a_page_of_somebody_else_is_no_figures() -> None:
    class Elsewhere(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(404, content=b"<html>")

    connection = HTTPConnection("http://node", token=None, retry_for_s=0, transport=Elsewhere())
    with pytest.raises(ServerUnreachableError, match="answered 404"):
        await connection.text("/metrics")
    await connection.close()


async def test_closing_it_ends_the_calls_that_are_tried_again_too() -> None:
    script = Script(*[httpx.ConnectError("refused")] * 100)
    connection = over(script)
    asking = asyncio.create_task(connection.text("/metrics"))
    async with asyncio.timeout(10):
        while not script.requests:  # noqa: ASYNC110  a script tells nobody
            await asyncio.sleep(0)
    await connection.close()

    with pytest.raises(ClientClosedError):
        await asking
    with pytest.raises(ClientClosedError):
        await connection.text("/metrics")


def test_several_values_are_repeated_parameters() -> None:
    assert joined("a") == ["a"]
    assert joined(["a", "b"]) == ["a", "b"]
    assert joined([]) is None
    assert joined(None) is None
