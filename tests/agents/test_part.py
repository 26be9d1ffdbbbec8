"""A part: an async context under mode's supervision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from mode import Service

from docreactor.agents.part import Part
from docreactor.pipeline.errors import FencedError


class Place:
    """A context that keeps a diary, and a task that can be made to fail."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.may_enter = asyncio.Event()
        self.fails = asyncio.Event()
        self.may_enter.set()

    @asynccontextmanager
    async def context(self) -> AsyncGenerator[None]:
        await self.may_enter.wait()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._fail())
            self.diary.append("entered")
            try:
                yield
            finally:
                self.diary.append("left")
                task.cancel()

    async def _fail(self) -> None:
        await self.fails.wait()
        raise FencedError("another process took over")


async def test_a_part_has_entered_when_it_has_started_and_left_when_it_has_stopped() -> None:
    place = Place()
    part = Part("place", place.context)

    await part.start()
    assert place.diary == ["entered"]

    await part.stop()
    assert place.diary == ["entered", "left"]
    assert not part.crashed


async def test_a_part_may_be_left_ahead_of_its_turn() -> None:
    place = Place()
    part = Part("place", place.context)
    await part.start()

    await part.leave()
    assert place.diary == ["entered", "left"]

    await part.stop()
    assert place.diary == ["entered", "left"]


async def test_an_error_inside_crashes_everything_up_to_the_root() -> None:
    place = Place()
    root, part = Service(), Part("place", place.context)
    root.add_dependency(part)
    await root.start()

    place.fails.set()
    await root.wait_until_stopped()

    assert isinstance(root.crash_reason, ExceptionGroup)
    assert root.crash_reason.subgroup(FencedError) is not None
    assert place.diary == ["entered", "left"]
    await root.stop()


async def test_an_error_on_the_way_in_ends_the_wait_for_the_start() -> None:
    @asynccontextmanager
    async def refuses() -> AsyncGenerator[None]:
        if place.diary == []:
            raise FencedError("no entry")
        yield

    place = Place()
    part = Part("place", refuses)

    await part.start()

    assert isinstance(part.crash_reason, FencedError)
    await part.stop()


async def test_a_stop_ends_the_wait_for_the_start() -> None:
    place = Place()
    place.may_enter.clear()
    part = Part("place", place.context)
    starting = asyncio.create_task(part.start())
    await asyncio.sleep(0)

    await asyncio.wait_for(part.stop(), 5)
    await starting

    assert place.diary == []


@pytest.mark.parametrize("started", [True, False])
async def test_leaving_is_harmless_at_any_time(started: bool) -> None:
    place = Place()
    part = Part("place", place.context)
    if started:
        await part.start()

    await part.leave()
    await part.leave()

    assert place.diary == (["entered", "left"] if started else [])
    await part.stop()
