"""Time, as an argument."""

from __future__ import annotations

import time
from typing import Protocol

from docreactor.pipeline.timestamp import Microseconds


class Clock(Protocol):
    """Wall time for stamps, monotonic time for durations."""

    def now_us(self) -> Microseconds: ...

    def now_ms(self) -> int: ...

    def monotonic_s(self) -> float: ...


class SystemClock:
    """The machine's own clocks."""

    def now_us(self) -> Microseconds:
        """Wall time, microseconds since 1970."""
        return Microseconds(time.time_ns() // 1000)

    def now_ms(self) -> int:
        """Wall time, milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Seconds that never go back; they go on while the process is stopped."""
        return time.monotonic()
