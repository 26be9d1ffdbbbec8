"""One worker process: what it refuses before it starts, and how it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from docreactor.gateway.announcement import Announcement
from docreactor.gateway.broker.lock import open_locked
from docreactor.gateway.client import Reactor
from docreactor.gateway.server import listen
from docreactor.gateway.worker import HttpFront, run_worker, stop_with
from docreactor.pipeline.errors import (
    AddressInUseError,
    ModelNotLoadedError,
    ShuttingDownError,
    StoreLockedError,
    TokenRequiredError,
)
from docreactor.pipeline.settings import Settings
from tests.gateway.deployment import TODO_TYPE, one_node, problem_of

EXAMPLE = ("docreactor.examples.todo",)


def never(said: Announcement | str) -> None:
    raise AssertionError("it listens")


def run(settings: Settings, models: tuple[str, ...] = EXAMPLE) -> None:
    run_worker(
        settings,
        models,
        bootstrap_servers="127.0.0.1:1",
        supervised=False,
        is_gateway_only=False,
        announce=never,
        listens=never,
    )


def test_a_worker_open_to_others_needs_a_token(tmp_path: Path) -> None:
    with pytest.raises(TokenRequiredError):
        run(Settings(data=tmp_path, host="0.0.0.0"))


def test_a_worker_needs_models_that_can_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadedError):
        run(Settings(data=tmp_path), ("no_such_module",))


def test_a_directory_belongs_to_one_worker_at_a_time(tmp_path: Path) -> None:
    lock = open_locked(tmp_path / "docs" / "lock")
    assert lock is not None

    with pytest.raises(StoreLockedError, match="another --data"):
        run(Settings(app="docs", data=tmp_path))

    os.close(lock)


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AddressInUseError):
        run(Settings(data=tmp_path, port=taken.getsockname()[1]))


async def test_whoever_asks_while_it_stops_is_told_so_and_may_ask_again() -> None:
    listener = listen("127.0.0.1", 0, None)
    async with one_node() as one, AsyncExitStack() as stops, httpx.AsyncClient() as http:
        front = HttpFront(listener)
        await stops.enter_async_context(front.serving())
        async with front.opened(one.node):
            assert (await http.get(f"{listener.url}/readyz")).status_code == 200
            assert not one.node.is_stopping
        assert one.node.is_stopping
        reply = await http.post(f"{listener.url}/v1/documents", json={"document_type": TODO_TYPE})
        assert problem_of(reply) == (503, "ShuttingDown")
        assert reply.headers["retry-after"] == "1"
        async with Reactor(listener.url, retry_for_s=0) as reactor:
            with pytest.raises(ShuttingDownError):
                await reactor.create(TODO_TYPE)
        within = await one.http.post("/v1/documents", json={"document_type": TODO_TYPE})
        assert problem_of(within) == (503, "ShuttingDown")
        assert (await one.http.get("/v1/positions")).status_code == 200


async def test_the_end_of_the_lifeline_is_a_sigterm() -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    lifeline, held = os.pipe()
    stop_with(loop, lifeline)

    os.write(held, b"?")
    await asyncio.sleep(0)
    assert not told.is_set(), "only its end is a sign"

    os.close(held)
    async with asyncio.timeout(10):
        await told.wait()
    loop.remove_signal_handler(signal.SIGTERM)
    os.close(lifeline)
