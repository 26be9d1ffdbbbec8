"""What a lane does while its worker lacks a model."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.log import TopicPartition
from docreactor.agents.pause import FIRST_S, LONGEST_S, LeftError, Pause, tell_failures
from docreactor.pipeline.errors import StoreFailedError, UnknownModelError
from docreactor.pipeline.packages import LOOK_EVERY_S, Packages
from docreactor.pipeline.registry import Registry
from tests.support.package import install

LACKING = UnknownModelError("test/late", 2)
LATE = "from docreactor import DocumentModel\nlate = DocumentModel('test/late', state=dict)\n"


class _Flow:
    """It stands where the group's member would; nothing here fills an inbox."""

    def pause(self, *sources: TopicPartition) -> None:
        raise AssertionError(sources)

    def resume(self, *sources: TopicPartition) -> None:
        raise AssertionError(sources)


class Lane:
    """One that was begun, and what it told."""

    def __init__(self, registry: Registry | None = None, random: float = 0.0) -> None:
        self.inbox = Inbox(TopicPartition("t", 0), _Flow(), Room(10, 1_000))
        self.told: list[UnknownModelError | None] = []
        self.kept: list[float] = []
        self.tried: list[float] = []
        self.pause = Pause(
            self.inbox, registry or Registry([]), self.told.append, random=lambda: random
        )

    async def keep(self) -> None:
        """What goes on meanwhile."""
        self.kept.append(asyncio.get_running_loop().time())

    def lacking(self, *errors: Exception) -> Callable[[], Awaitable[str]]:
        """Work that ends in each of these before it is done."""
        left = list(errors)

        async def work() -> str:
            self.tried.append(asyncio.get_running_loop().time())
            if left:
                raise left.pop(0)
            return "done"

        return work


async def test_work_that_lacks_nothing_is_simply_done() -> None:
    lane = Lane()

    assert await lane.pause.over(lane.lacking(), lane.keep) == "done"

    assert (lane.told, lane.kept, len(lane.tried)) == ([], [], 1)


async def test_what_is_lacking_is_told_once_and_the_end_of_it_too() -> None:
    lane, other = Lane(), UnknownModelError("test/another")

    assert await lane.pause.over(lane.lacking(LACKING, LACKING, other), lane.keep) == "done"

    assert lane.told == [LACKING, other, None]


async def test_it_tries_again_after_ever_longer_waits() -> None:
    lane = Lane()

    await lane.pause.over(lane.lacking(*[LACKING] * 4), lane.keep)

    waits = [after - before for before, after in zip(lane.tried, lane.tried[1:], strict=False)]
    # With the least jitter: half of what the back-off says.
    for count, wait_s in enumerate(waits):
        assert wait_s >= FIRST_S * 2**count / 2
    assert waits[-1] < LONGEST_S


@pytest.mark.parametrize("random", [0.0, 0.5, 0.99])
async def test_waits_differ_by_chance(random: float) -> None:
    lane = Lane(random=random)

    await lane.pause.over(lane.lacking(LACKING), lane.keep)

    assert lane.tried[1] - lane.tried[0] >= FIRST_S * (1 + random) / 2


async def test_any_other_failure_goes_through() -> None:
    lane = Lane()

    with pytest.raises(StoreFailedError):
        await lane.pause.over(lane.lacking(LACKING, StoreFailedError("no space left")), lane.keep)

    assert lane.told == [LACKING, None]


async def test_it_ends_at_once_when_the_partition_goes() -> None:
    lane = Lane()
    work = asyncio.create_task(lane.pause.over(lane.lacking(*[LACKING] * 100), lane.keep))
    while len(lane.tried) < 4:  # noqa: ASYNC110  the lane tells nobody of its tries
        await asyncio.sleep(0.001)

    lane.inbox.close()

    async with asyncio.timeout(FIRST_S):
        with pytest.raises(LeftError):
            await work
    assert lane.told == [LACKING, None]


async def test_what_must_go_on_goes_on_while_a_package_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def meet() -> None:
        began.set()
        assert go_on.wait(10.0)

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meet", meet, raising=False)
    time_s = [0.0]
    lane = Lane(Registry([], Packages(lambda: time_s[0])))
    time_s[0] += LOOK_EVERY_S
    install(tmp_path, "slowly", f"import sys\nsys.meet()\n{LATE}")
    work = asyncio.create_task(lane.pause.over(lane.lacking(LACKING), lane.keep))
    assert await asyncio.to_thread(began.wait, 10.0)

    before = len(lane.kept)
    async with asyncio.timeout(10.0):
        while len(lane.kept) < before + 3:  # noqa: ASYNC110  counted, never told
            await asyncio.sleep(0.001)
    assert len(lane.tried) == 1
    go_on.set()

    assert await work == "done"
    del sys.modules["slowly"]


def test_the_journal_is_told_once_what_a_package_does_not_bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "broken", "raise RuntimeError('not today')")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry([], Packages(lambda: 0.0))

    with capture_logs() as told:
        tell_failures(registry, {})
        tell_failures(registry, registry.failures)

    (line,) = told
    assert line["package"] == "broken = broken of an installed package"
    assert "RuntimeError: not today" in line["error"]
