"""What others have a lane do between two of its batches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from docreactor.agents.pause import LeftError
from docreactor.pipeline.errors import (
    FencedError,
    ReactorError,
    RestoringError,
    StoreFailedError,
)

_Result = TypeVar("_Result")


class LaneChores:
    """One lane's. `wake` has it look up; `gone` says why it does nothing more for now."""

    def __init__(self, wake: Callable[[], None], gone: Callable[[], RestoringError]) -> None:
        self._wake = wake
        self._gone = gone
        self._waiting: deque[tuple[Callable[[], Awaitable[Any]], asyncio.Future[Any]]] = deque()

    async def ask(self, chore: Callable[[], Awaitable[_Result]]) -> _Result:
        """Return when it is done; raises what it raises, or Restoring when it is refused."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((chore, done))
        self._wake()
        result: _Result = await done
        return result

    async def do(self) -> None:
        """Do what waits, in order. What ends the lane too comes out: anything but our errors."""
        while self._waiting:
            chore, done = self._waiting.popleft()
            if done.cancelled():
                continue
            try:
                result = await chore()
            except BaseException as error:
                if not done.done():
                    done.set_exception(self._told(error))
                if not isinstance(error, ReactorError) or isinstance(error, FencedError):
                    raise
            else:
                if not done.done():
                    done.set_result(result)

    def refuse(self) -> None:
        """Tell whoever waits that nothing is done for now."""
        while self._waiting:
            _, done = self._waiting.popleft()
            if not done.done():
                done.set_exception(self._gone())

    def _told(self, error: BaseException) -> Exception:
        """As whoever asked is told it."""
        if isinstance(error, OSError):
            return StoreFailedError(str(error))
        if isinstance(error, LeftError) or not isinstance(error, Exception):
            return self._gone()
        return error
