"""Workers that die are started again; one that cannot live stops everything."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from docreactor.gateway import supervisor
from docreactor.gateway.supervisor import supervised
from docreactor.pipeline.errors import WorkerFailingError
from tests.gateway import stand_in
from tests.gateway.stand_in import plan_of


async def answers() -> bool:
    return True


async def is_away() -> bool:
    return False


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  a process tells nobody
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_FIRST_S", 0.01)
    monkeypatch.setattr(supervisor, "BACKOFF_MAX_S", 0.02)


async def test_all_are_ready_when_each_has_said_so(tmp_path: Path) -> None:
    plans = [plan_of(stand_in.LIVES, tmp_path / str(n), port=4000 + n) for n in range(2)]

    async with supervised(plans, answers) as keepers:
        urls = [(await keeper.announced).url for keeper in keepers]
        assert [keeper.url for keeper in keepers] == urls

    assert urls == ["http://127.0.0.1:4000", "http://127.0.0.1:4001"]


async def test_no_worker_outlives_the_block(tmp_path: Path) -> None:
    async with supervised([plan_of(stand_in.LIVES, tmp_path)], answers) as (keeper,):
        (pid,) = (await keeper.announced).pids

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_killed_worker_is_started_again_at_the_address_that_others_know(
    tmp_path: Path,
) -> None:
    places = tmp_path / "places"
    script = f"open({str(places)!r}, 'a').write(sys.argv[-1] + '\\n')"
    script = f"import sys; {script}\n{stand_in.LIVES}"

    async with supervised([plan_of(script, tmp_path)], answers) as (keeper,):
        (pid,) = (await keeper.announced).pids
        os.kill(pid, signal.SIGKILL)
        await until(lambda: len(places.read_text().splitlines()) == 2)

    assert places.read_text().splitlines() == ["0", "4711"]


async def test_five_exits_in_a_minute_end_it_with_the_last_error(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as told, pytest.raises(ExceptionGroup) as ended:
        async with supervised([plan_of(stand_in.DIES, tmp_path)], answers) as (keeper,):
            await keeper.announced

    (error,) = ended.value.exceptions
    assert isinstance(error, WorkerFailingError)
    assert "Fenced: taken over" in error.message
    assert str(tmp_path / "logs" / "worker-1.log") in error.message
    assert len(told) == supervisor.EXITS_MAX - 1


async def test_exits_do_not_count_while_the_broker_is_away(tmp_path: Path) -> None:
    plan = plan_of(stand_in.DIES, tmp_path)

    def exits() -> int:
        return plan.log.read_text().count("Fenced") if plan.log.exists() else 0

    async with supervised([plan], is_away):
        await until(lambda: exits() > supervisor.EXITS_MAX)
