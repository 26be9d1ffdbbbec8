"""Ends a process whose event loop has stopped turning."""

from __future__ import annotations

import asyncio
import faulthandler
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

REARMS_PER_PERIOD = 5


@contextmanager
def watched(stall_max_s: float, stream: TextIO = sys.stderr) -> Generator[None]:
    """End the process when the running loop does not turn for so long, with exit code 1.

    Every thread's stack stands on the stream then. When the block is left the process has as
    long again to end by itself: the watch is armed a last time, and nothing disarms it.
    """
    loop = asyncio.get_running_loop()
    again: asyncio.TimerHandle | None = None

    def arm() -> None:
        # A thread of C code: it needs neither the loop nor the interpreter's lock to fire.
        faulthandler.dump_traceback_later(stall_max_s, exit=True, file=stream)

    def turn() -> None:
        nonlocal again
        arm()
        again = loop.call_later(stall_max_s / REARMS_PER_PERIOD, turn)

    turn()
    try:
        yield
    finally:
        if again is not None:
            again.cancel()
        arm()
