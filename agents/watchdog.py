"""Ends a process whose event loop has stopped turning."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

REARMS_PER_PERIOD = 5


class Watchdog:
    """A thread of C code that the loop must calm again and again.

    It needs neither the loop nor the interpreter's lock: whatever hangs, the process ends with
    exit code 1, and every thread's stack stands on the stream.
    """

    def __init__(self, stall_max_s: float, stream: TextIO = sys.stderr) -> None:
        self._stall_max_s = stall_max_s
        self._stream = stream

    @contextmanager
    def watching(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Watch the loop for as long as the block runs."""
        calm = loop.call_soon(self._calm, loop)
        yield
        calm.cancel()
