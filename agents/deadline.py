"""The bound on one reduce: a timer that stops even an endless loop of Python."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

_AGAIN_S = 0.1


class DeadlinePassed(BaseException):
    """Raised inside the code that ran too long; no `except Exception` of a model catches it."""


class Deadline:
    """A context manager around one reduce; raises DeadlinePassed in it when it runs too long.

    Signals reach the main thread alone: elsewhere it does nothing. One instance a process.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._armed = False
        self._usable = threading.current_thread() is threading.main_thread()
        if self._usable:
            signal.signal(signal.SIGALRM, self._ring)

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        # A signal that was on its way when the reduce ended must hit nothing else.
        if self._armed:
            raise DeadlinePassed

    def __enter__(self) -> Self:
        if self._usable:
            self._armed = True
            signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._usable:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
