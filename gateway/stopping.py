"""How a command in the foreground is told to stop: by a signal, once, and in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# A terminal that is closed must not leave a broker behind.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stoppable() -> Generator[None]:
    """The first signal ends the block, which unwinds in peace: later ones are ignored.

    Being told to stop is no failure: the block ends without an exception then.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        _ignore()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_stoppable(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a loop of its own, within `stoppable`: the first signal cancels it."""
    try:
        asyncio.run(_cancelled_by_signals(work))
    finally:
        # Closing the loop has put the default handlers back.
        _ignore()


async def _cancelled_by_signals(work: Coroutine[Any, Any, None]) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def cancel() -> None:
        _ignore_in(loop)
        task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, cancel)
    await task


def _ignore() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _ignore_in(loop: asyncio.AbstractEventLoop) -> None:
    for number in SIGNALS:
        loop.add_signal_handler(number, lambda: None)
