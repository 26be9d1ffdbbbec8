"""Keeps worker processes alive: a dead one is started again, one that cannot live stops all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from urllib.parse import urlsplit

import structlog

from docreactor.gateway.announcement import Announcement
from docreactor.gateway.worker_process import WorkerPlan, WorkerProcess
from docreactor.pipeline.errors import WorkerFailingError

EXITS_MAX = 5
WITHIN_S = 60.0
BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0

BrokerAnswers = Callable[[], Awaitable[bool]]

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def supervised(
    plans: Sequence[WorkerPlan], broker_answers: BrokerAnswers
) -> AsyncGenerator[Sequence[Keeper]]:
    """Keep these workers alive while the block runs.

    A worker that exits five times within a minute, or five times without ever being ready, while
    the broker answers, ends the block: WorkerFailing, with its last error, comes out in an
    ExceptionGroup.
    """
    keepers = [Keeper(plan, broker_answers) for plan in plans]
    async with asyncio.TaskGroup() as tasks:
        keeping = [tasks.create_task(keeper.keep()) for keeper in keepers]
        try:
            yield keepers
        finally:
            for task in keeping:
                task.cancel()


class Keeper:
    """Keeps one worker."""

    def __init__(self, plan: WorkerPlan, broker_answers: BrokerAnswers) -> None:
        self.url: str | None = None
        """Where the worker answers, from its first start on."""
        self.announced: asyncio.Future[Announcement] = asyncio.get_running_loop().create_future()
        """What the worker said when it was ready for the first time."""
        self._plan = plan
        self._port = plan.port
        self._broker_answers = broker_answers
        self._exits: deque[float] = deque(maxlen=EXITS_MAX)

    async def keep(self) -> None:
        """Start the worker again whenever it ends, until cancelled; then it is ended in order."""
        backoff_s = BACKOFF_FIRST_S
        while True:
            started = monotonic()
            reason = await self._live()
            await self._count_exit(reason)
            if monotonic() - started > WITHIN_S:
                backoff_s = BACKOFF_FIRST_S
            _log.warning(
                "a worker ended and is started again",
                worker=self._plan.number,
                reason=reason,
                after_s=backoff_s,
            )
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)

    async def _live(self) -> str:
        """One life of the process; why it ended."""
        process = await WorkerProcess.start(self._plan, port=self._port)
        try:
            if (url := await process.listening()) is not None:
                # Others know the address: a worker that comes back comes back there.
                self.url, self._port = url, urlsplit(url).port or self._port
            announcement = await process.ready()
            if announcement is not None and not self.announced.done():
                self.announced.set_result(announcement)
            await process.ended()
        finally:
            await process.stop()
        return process.reason()

    async def _count_exit(self, reason: str) -> None:
        # Without a broker nobody can live: that is waited out.
        if not await self._broker_answers():
            return
        self._exits.append(monotonic())
        soon = self._exits[-1] - self._exits[0] < WITHIN_S
        if len(self._exits) == EXITS_MAX and (soon or not self.announced.done()):
            raise WorkerFailingError(
                self._plan.number, exits=EXITS_MAX, reason=reason, log=str(self._plan.log)
            )
