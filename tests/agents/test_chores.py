"""Chores are done in order, by the lane, and whoever asked is told how it ended."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.agents.chores import Chore, Chores
from docreactor.agents.staging import Staging
from docreactor.pipeline.errors import LogError, RecordRefusedError, RestoringError
from docreactor.pipeline.settings import Settings
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore

GONE = RestoringError(3, state="on its way elsewhere")


def staging() -> Staging:
    return Staging(Keyframes(MemoryKeyValueStore(), Settings()).stage())


class Lane:
    """What was written, and what was done after it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.told: list[str] = []

    async def write(self, _: Staging) -> None:
        if self.error is not None:
            raise self.error
        self.told.append("written")

    def chore(self, name: str) -> Chore:
        def make() -> Staging | None:
            self.told.append(f"made {name}")
            return staging()

        return Chore(make, lambda: self.told.append(f"done {name}"))


async def asked(chores: Chores, *wanted: Chore) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(chores.ask(chore)) for chore in wanted]
    await asyncio.sleep(0)
    return tasks


async def test_each_is_made_written_and_done_before_the_next() -> None:
    lane, chores = Lane(), Chores()
    tasks = await asked(chores, lane.chore("a"), lane.chore("b"))

    await chores.run(lane.write)

    await asyncio.gather(*tasks)
    assert lane.told == ["made a", "written", "done a", "made b", "written", "done b"]


async def test_asking_wakes_the_lane() -> None:
    woken: list[str] = []
    chores = Chores()
    chores.wake = lambda: woken.append("up")

    (task,) = await asked(chores, Lane().chore("a"))
    await chores.run(Lane().write)
    await task

    assert woken == ["up"]


async def test_nothing_to_write_is_written_by_nobody() -> None:
    lane, chores = Lane(), Chores()
    (task,) = await asked(chores, Chore(lambda: None, lambda: lane.told.append("done")))

    await chores.run(lane.write)

    await task
    assert lane.told == []


async def test_what_the_broker_refuses_is_told_and_the_rest_goes_on() -> None:
    refusing, lane, chores = Lane(RecordRefusedError("t", 0, "too large")), Lane(), Chores()
    (task,) = await asked(chores, refusing.chore("a"))
    await chores.run(refusing.write)
    with pytest.raises(RecordRefusedError):
        await task

    (task,) = await asked(chores, lane.chore("b"))
    await chores.run(lane.write)
    await task


async def test_what_ends_the_lane_is_told_by_its_end() -> None:
    lane, chores = Lane(LogError("away")), Chores()
    tasks = await asked(chores, lane.chore("a"), lane.chore("b"))
    with pytest.raises(LogError):
        await chores.run(lane.write)

    chores.close(GONE)

    for task in tasks:
        with pytest.raises(RestoringError):
            await task


async def test_whoever_comes_after_the_end_is_told_at_once() -> None:
    chores = Chores()
    chores.close(GONE)

    with pytest.raises(RestoringError):
        await chores.ask(Lane().chore("a"))


async def test_whoever_gave_up_is_left_out() -> None:
    lane, chores = Lane(), Chores()
    first, second = await asked(chores, lane.chore("a"), lane.chore("b"))
    first.cancel()
    await asyncio.sleep(0)

    await chores.run(lane.write)

    await second
    assert lane.told == ["made b", "written", "done b"]
