"""Ctrl-C that comes at a moment when nothing could be cleaned up."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def interrupted_afterwards() -> Generator[None]:
    """Keep Ctrl-C until the block's end: a process that nobody knows yet could not be ended."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt
