"""The bound on one reduce: a timer that stops even an endless loop of Python."""

from __future__ import annotations

import atexit
import signal
import threading
from time import monotonic
from types import FrameType, TracebackType
from typing import Self

from docreactor.pipeline.bound import DeadlinePassed

_TICKS_WITHIN = 8
_TICK_MAX_S = 0.25


class Deadline:
    """A context manager around one reduce; raises DeadlinePassed in it when it runs too long.

    A timer ticks while there is work and looks at the clock, so entering and leaving cost no system
    call; what runs too long ends at most a tick, 0.25 s, late. Signals reach the main thread alone:
    elsewhere it does nothing. One instance a process.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._tick_s = min(_TICK_MAX_S, seconds / _TICKS_WITHIN)
        self._until: float | None = None
        self._ticking = False
        self._was_used = False
        self._usable = threading.current_thread() is threading.main_thread()
        if self._usable:
            signal.signal(signal.SIGALRM, self._on_tick)
            # An interpreter that ends takes its handlers away first: a tick would kill it.
            atexit.unregister(_end_timer)
            atexit.register(_end_timer)

    def _on_tick(self, _signal: int, _frame: FrameType | None) -> None:
        until = self._until
        if until is not None:
            if monotonic() >= until:
                raise DeadlinePassed
        elif self._was_used:
            self._was_used = False
        else:
            self._ticking = False
            _end_timer()

    def __enter__(self) -> Self:
        if self._usable:
            self._was_used = True
            self._until = monotonic() + self._seconds
            if not self._ticking:
                self._ticking = True
                signal.setitimer(signal.ITIMER_REAL, self._tick_s, self._tick_s)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A signal that is on its way when the reduce has ended must hit nothing else.
        self._until = None


def _end_timer() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
