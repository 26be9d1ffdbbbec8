"""One worker process as its supervisor sees it: started, ready, ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from docreactor.gateway.announcement import Announcement

STOP_TIMEOUT_S = 20.0
LAST_WORDS_BYTES = 64 * 1024
LOG_BYTES_MAX = 20 * 1024 * 1024
# How a worker's journal tells of its end, and how its watchdog does.
CRITICAL = b'"level":"critical"'
STALLED = b"Timeout ("


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """How one worker is started. `command` lacks the port, which a restart takes over."""

    number: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    log: Path


class WorkerProcess:
    """A running process. Its standard input is its lifeline: it stops when we are gone."""

    def __init__(self, plan: WorkerPlan, process: asyncio.subprocess.Process, said: int) -> None:
        self.plan = plan
        self._process = process
        self._said_before = said

    @classmethod
    async def start(cls, plan: WorkerPlan, *, port: int) -> WorkerProcess:
        """Start it; what it says on standard error is appended to the plan's log.

        A log that has grown large is put aside, in the place of the one before.
        It is in a session of its own, so that Ctrl-C reaches its supervisor and not it.
        """
        plan.log.parent.mkdir(parents=True, exist_ok=True)
        if plan.log.exists() and plan.log.stat().st_size > LOG_BYTES_MAX:
            plan.log.replace(plan.log.with_suffix(".previous.log"))
        with plan.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *plan.command,
                "--port",
                str(port),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=dict(plan.environment),
                start_new_session=True,
            )
            return cls(plan, process, log.tell())

    @property
    def pid(self) -> int:
        return self._process.pid

    async def listening(self) -> str | None:
        """Its URL once it answers, if only with the reason why not; None when it ends before."""
        return (await self._line()).decode().strip() or None

    async def ready(self) -> Announcement | None:
        """What it announces once it is ready, after `listening`; None when it ends before."""
        line = await self._line()
        return Announcement.parse(line) if line else None

    async def ended(self) -> int:
        """Its exit code, negative for a signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End it in order, or by force when it takes too long; gone on return."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def reason(self) -> str:
        """Why it ended: the last error that it named, else its exit code."""
        for line in reversed(self._lines()):
            if CRITICAL in line:
                facts = orjson.loads(line)
                return f"{facts['error']}: {facts['detail']}"
            if line.startswith(STALLED):
                return "its watchdog: the event loop did not turn"
        code = self._process.returncode
        assert code is not None
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        return await self._process.stdout.readline()

    def _lines(self) -> list[bytes]:
        with self.plan.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._said_before, end - LAST_WORDS_BYTES))
            return log.read().splitlines()
