"""Work that ends when its caller has gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from docreactor.gateway.attendance import attended


def request_of(gone: asyncio.Event) -> Request:
    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http"}, receive)


async def test_the_result_comes_while_the_caller_is_there() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 3

    assert await attended(request_of(asyncio.Event()), work()) == 3


async def test_an_error_of_the_work_comes_out() -> None:
    async def work() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError):
        await attended(request_of(asyncio.Event()), work())


async def test_work_is_cancelled_when_the_caller_goes() -> None:
    gone, begun, cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    waiting = asyncio.create_task(attended(request_of(gone), work()))
    await begun.wait()
    gone.set()

    with pytest.raises(ClientDisconnect):
        await waiting
    assert cancelled.is_set()


async def test_whoever_is_cancelled_leaves_nothing_running() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    waiting = asyncio.create_task(attended(request_of(asyncio.Event()), work()))
    await begun.wait()
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert cancelled.is_set()
