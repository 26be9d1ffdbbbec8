"""Calls that end when their client is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from docreactor.gateway.underway import Underway
from docreactor.pipeline.errors import ClientClosedError


async def under_way(calls: Underway, work: Awaitable[object]) -> object:
    async with calls.call():
        return await work


async def started(*tasks: asyncio.Task[object]) -> None:
    """Give each of them its first turn."""
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


async def test_closing_ends_every_call_by_name() -> None:
    calls = Underway("http://node")
    tasks = [asyncio.create_task(under_way(calls, asyncio.Event().wait())) for _ in range(3)]
    await started(*tasks)

    await calls.close()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(error) for error in ended} == {ClientClosedError}
    assert "http://node was closed" in str(ended[0])


async def test_after_closing_no_call_begins() -> None:
    calls = Underway("http://node")
    await calls.close()
    await calls.close()

    with pytest.raises(ClientClosedError):
        async with calls.call():
            pass


async def test_closing_waits_until_the_calls_have_cleaned_up() -> None:
    calls = Underway("http://node")
    steps: list[str] = []

    async def tidy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("tidied")

    task = asyncio.create_task(under_way(calls, tidy()))
    await started(task)
    await calls.close()
    steps.append("closed")

    assert steps == ["tidied", "closed"]
    with pytest.raises(ClientClosedError):
        await task


async def test_what_a_call_raises_comes_out_as_it_is() -> None:
    calls = Underway("http://node")

    with pytest.raises(TimeoutError, match="its own"):
        async with calls.call():
            raise TimeoutError("its own")


async def test_who_cancels_a_call_ends_that_one_alone() -> None:
    calls, open = Underway("http://node"), asyncio.Event()
    first, second = (asyncio.create_task(under_way(calls, open.wait())) for _ in range(2))
    await started(first, second)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    open.set()

    assert await second is True
