"""The HTTP server of one process: where it listens, and how it stops."""

from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from docreactor.gateway.door import Door
from docreactor.gateway.server import listen, serving
from docreactor.pipeline.errors import AddressInUseError


class Slow:
    """An app whose answers wait until they may go out."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


async def test_port_zero_takes_a_free_port_and_tells_it() -> None:
    app, listener = Slow(), listen("127.0.0.1", 0, None)
    app.may_answer.set()

    async with serving(app, listener), httpx.AsyncClient() as client:
        assert (await client.get(listener.url)).status_code == 204

    assert listener.advertised_url == listener.url
    assert not listener.url.endswith(":0")


async def test_a_request_under_way_gets_its_answer_when_the_server_leaves() -> None:
    app, listener = Slow(), listen("127.0.0.1", 0, None)

    async with httpx.AsyncClient() as client:
        async with serving(app, listener):
            asked = asyncio.create_task(client.get(listener.url))
            await app.asked.wait()
            asyncio.get_running_loop().call_soon(app.may_answer.set)
        assert (await asked).status_code == 204
        with pytest.raises(httpx.ConnectError):
            await client.get(listener.url)


async def test_a_request_that_does_not_end_in_time_is_told_to_ask_again() -> None:
    app, door, listener = Slow(), Door(), listen("127.0.0.1", 0, None)
    door.open(app)

    async with httpx.AsyncClient(timeout=30) as client:
        async with serving(door, listener):
            asked = asyncio.create_task(client.get(listener.url))
            await app.asked.wait()
        reply = await asked

    assert reply.status_code == 503
    assert reply.headers["retry-after"] == "1"


async def test_signals_are_left_to_the_worker() -> None:
    app, before = Slow(), signal.getsignal(signal.SIGTERM)

    async with serving(app, listen("127.0.0.1", 0, None)):
        assert signal.getsignal(signal.SIGTERM) is before


def test_an_answer_never_waits_for_the_acknowledgement_of_its_first_part() -> None:
    listener = listen("127.0.0.1", 0, None)
    with listener.socket, socket.create_connection(listener.socket.getsockname()[:2]):
        listener.socket.setblocking(True)
        accepted, _ = listener.socket.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_taken_port_is_refused_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUseError, match=f"port {port}.*choose another --port"):
            listen("127.0.0.1", port, None)


def test_a_host_that_is_not_ours_is_refused_by_name() -> None:
    with pytest.raises(AddressInUseError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0, None)


def test_others_call_it_by_the_address_that_it_was_given() -> None:
    listener = listen("127.0.0.1", 0, "https://todo.example:8443")

    assert listener.advertised_url == "https://todo.example:8443"
    listener.socket.close()


@pytest.mark.parametrize(
    ("name", "called"), [("localhost", "localhost"), ("no-such-host.invalid", "127.0.0.1")]
)
def test_a_server_on_every_address_is_called_by_the_machines_name_if_it_leads_there(
    monkeypatch: pytest.MonkeyPatch, name: str, called: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: name)

    listener = listen("0.0.0.0", 0, None)

    assert listener.url.startswith("http://127.0.0.1:")
    assert listener.advertised_url.startswith(f"http://{called}:")
    listener.socket.close()


def test_an_address_of_version_six_is_put_in_brackets() -> None:
    listener = listen("::1", 0, None)

    assert listener.url.startswith("http://[::1]:")
    listener.socket.close()
