"""What the owner of a partition writes beside jobs: in transactions of its own, between batches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from docreactor.agents.staging import Staging
from docreactor.pipeline.errors import ReactorError, RecordRefusedError


@dataclass(frozen=True, slots=True)
class Chore:
    """`make` decides what is written, by the tables as they are right before; None for nothing.

    `done` is called at once after it is written, before anything else is decided.
    """

    make: Callable[[], Staging | None]
    done: Callable[[], None]


Write = Callable[[Staging], Awaitable[None]]


class Chores:
    """One partition's: whoever asks waits for its write lane."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Chore, asyncio.Future[None]]] = deque()
        self._closed: ReactorError | None = None
        self.wake: Callable[[], None] = _nothing
        """Has the lane look up."""

    async def ask(self, chore: Chore) -> None:
        """Return once it is written; raises what refuses it, or why the lane is gone."""
        if self._closed is not None:
            raise self._closed
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((chore, written))
        self.wake()
        await written

    async def run(self, write: Write) -> None:
        """Do what waits, in order. Whoever asked for what the broker refuses is told so.

        Anything else ends the lane, and `close` tells the asker.
        """
        while self._waiting:
            chore, written = self._waiting.popleft()
            if written.cancelled():
                continue
            try:
                staging = chore.make()
                if staging is not None:
                    await write(staging)
                    chore.done()
            except RecordRefusedError as error:
                _tell(written, error)
            except BaseException:
                self._waiting.appendleft((chore, written))
                raise
            else:
                if not written.done():
                    written.set_result(None)

    def close(self, reason: ReactorError) -> None:
        """Nothing is written any more: whoever waits or comes is told why."""
        self._closed = reason
        while self._waiting:
            _tell(self._waiting.popleft()[1], reason)


def _tell(written: asyncio.Future[None], error: ReactorError) -> None:
    if not written.done():
        written.set_exception(error)


def _nothing() -> None:
    return None
