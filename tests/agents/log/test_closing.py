"""Closing takes a bounded time, whatever the clients do."""

from __future__ import annotations

import asyncio

from docreactor.agents.log.closing import Closing


class Slow:
    """A client that stops when it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.stopped = asyncio.Event()

    async def stop(self) -> None:
        await self.let_go.wait()
        self.stopped.set()


class Broken:
    """A client that cannot stop."""

    async def stop(self) -> None:
        raise OSError("connection lost")


async def test_a_client_that_stops_has_stopped() -> None:
    client = Slow()
    client.let_go.set()

    await Closing(wait_s=10).stop(client)

    assert client.stopped.is_set()


async def test_a_client_that_hangs_goes_on_in_the_background() -> None:
    closing, client = Closing(wait_s=0.01), Slow()
    await closing.stop(client)
    assert not client.stopped.is_set()
    client.let_go.set()

    async with asyncio.timeout(5):
        await client.stopped.wait()


async def test_the_end_stops_what_still_lives_and_waits_for_nobody() -> None:
    closing, living, hanging = Closing(wait_s=0.01), Slow(), Slow()
    living.let_go.set()
    closing.watch(living)
    closing.watch(hanging)

    async with asyncio.timeout(5):
        await closing.finish()

    assert living.stopped.is_set()
    assert not hanging.stopped.is_set()


async def test_a_client_that_fails_to_stop_is_reported_and_forgotten() -> None:
    closing = Closing(wait_s=10)

    await closing.stop(Broken())

    await closing.finish()
