"""The client that costs little."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from docreactor.bench.wire import open_wire


class Server:
    """Answers every request with what it was asked; `/break` breaks the connection."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await reader.readline():
            asked = head.split()[1]
            length, given = 0, b""
            while (line := await reader.readline()).strip():
                if line.startswith(b"X-Asked:"):
                    given = b"x-answered:" + line[8:]
                if line.lower().startswith(b"content-length:"):
                    length = int(line[15:])
            body = await reader.readexactly(length)
            if asked == b"/break":
                break
            content = asked + b" " + body
            head = b"HTTP/1.1 202 Accepted\r\n%scontent-length: %d\r\n\r\n"
            writer.write(head % (given, len(content)))
            writer.write(content)
        writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    answering = Server()
    listening = await asyncio.start_server(answering.answer, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    answering.url = f"http://{host}:{port}"
    yield answering
    listening.close()
    await listening.wait_closed()


async def test_an_answer_has_its_status_and_its_body(server: Server) -> None:
    async with open_wire(server.url) as wire:
        assert (await wire.get("/a"))[:2] == (202, b"/a ")
        assert (await wire.post("/b", b"{}"))[:2] == (202, b"/b {}")


async def test_a_request_takes_headers_and_an_answer_has_its_own(server: Server) -> None:
    async with open_wire(server.url) as wire:
        answer = await wire.ask("DELETE", "/a", headers={"X-Asked": "this"})

    assert answer.header("X-Answered") == "this"
    assert answer.header("Retry-After") is None


async def test_one_request_after_the_other_shares_one_connection(server: Server) -> None:
    async with open_wire(server.url) as wire:
        for _ in range(5):
            await wire.get("/a")

    assert server.connections == 1


async def test_requests_at_the_same_time_each_have_a_connection(server: Server) -> None:
    async with open_wire(server.url) as wire:
        answers = await asyncio.gather(*(wire.get(f"/{number}") for number in range(5)))

    assert [answer.body for answer in answers] == [b"/%d " % number for number in range(5)]
    assert server.connections == 5


async def test_a_connection_that_breaks_is_not_used_again(server: Server) -> None:
    async with open_wire(server.url) as wire:
        with pytest.raises(ConnectionResetError):
            await wire.get("/break")

        assert (await wire.get("/a")).status == 202
