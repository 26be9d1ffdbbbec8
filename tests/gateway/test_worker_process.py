"""One worker process as its supervisor sees it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docreactor.gateway import worker_process
from docreactor.gateway.worker_process import WorkerProcess
from tests.gateway import stand_in
from tests.gateway.stand_in import plan_of


async def started(script: str, directory: Path, *, port: int = 0) -> WorkerProcess:
    return await WorkerProcess.start(plan_of(script, directory), port=port)


async def test_a_worker_says_where_it_listens_and_when_it_is_ready(tmp_path: Path) -> None:
    process = await started(stand_in.LIVES, tmp_path, port=4000)

    url, announcement = await process.listening(), await process.ready()

    assert announcement is not None
    assert url == announcement.url
    assert announcement.url == "http://127.0.0.1:4000"
    assert announcement.pids == (process.pid,)
    await process.stop()


async def test_a_worker_that_ends_before_it_is_ready_says_nothing(tmp_path: Path) -> None:
    process = await started(stand_in.DIES, tmp_path)

    assert await process.listening() is None
    assert await process.ready() is None
    assert await process.ended() == 1
    await process.stop()


async def test_the_reason_is_the_last_error_that_it_named(tmp_path: Path) -> None:
    process = await started(stand_in.DIES, tmp_path)
    await process.ended()

    assert process.reason() == "Fenced: taken over"


async def test_a_worker_that_named_nothing_is_told_by_its_exit_code(tmp_path: Path) -> None:
    first = await started(stand_in.DIES, tmp_path)
    await first.ended()

    speechless = await started(stand_in.DIES_SPEECHLESS, tmp_path)
    await speechless.ended()

    assert speechless.reason() == "exit code 3", "what an earlier one said is not its reason"


async def test_a_stalled_worker_is_told_by_its_watchdog(tmp_path: Path) -> None:
    process = await started(stand_in.STALLS, tmp_path)
    await process.ended()

    assert process.reason() == "its watchdog: the event loop did not turn"


async def test_a_log_that_has_grown_large_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "LOG_BYTES_MAX", 10)
    first = await started(stand_in.DIES, tmp_path)
    await first.ended()
    second = await started(stand_in.DIES, tmp_path)
    await second.ended()

    assert second.plan.log.read_text().count("Fenced") == 1
    assert (tmp_path / "logs" / "worker-1.previous.log").read_text().count("Fenced") == 1


async def test_a_killed_worker_is_told_by_its_signal(tmp_path: Path) -> None:
    process = await started(stand_in.LIVES, tmp_path)
    await process.listening()

    os.kill(process.pid, signal.SIGKILL)
    await process.ended()

    assert process.reason() == "signal SIGKILL"


async def test_a_worker_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "STOP_TIMEOUT_S", 0.1)
    process = await started(stand_in.REFUSES_TO_STOP, tmp_path)
    await process.listening()

    await process.stop()

    assert await process.ended() == -signal.SIGKILL


async def test_a_worker_is_out_of_reach_of_the_terminals_signals(tmp_path: Path) -> None:
    process = await started(stand_in.LIVES, tmp_path)

    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    await process.stop()


HOLDER = """
import asyncio, os, sys
from pathlib import Path
from docreactor.gateway.worker_process import WorkerProcess
from tests.gateway.stand_in import LIVES, plan_of

async def main():
    process = await WorkerProcess.start(plan_of(LIVES, Path(sys.argv[1])), port=1)
    await process.listening()
    print(process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_worker_hears_of_the_death_of_its_supervisor(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    with holder.stdout:
        worker = os.pidfd_open(int(holder.stdout.readline()))
        holder.kill()
        holder.wait()

    ended, _, _ = select.select([worker], [], [], 30)

    os.close(worker)
    assert ended
