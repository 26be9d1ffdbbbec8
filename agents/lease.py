"""Whether this process may still answer for a partition."""

from __future__ import annotations

from collections.abc import Callable


class Lease:
    """Held for a while after each transaction that the coordinator accepted.

    A transaction is proof of ownership that a fenced process cannot give. It counts from the
    moment before it began, so time in which the process stood still is never counted as held.
    """

    def __init__(self, duration_s: float, monotonic: Callable[[], float]) -> None:
        self._duration_s = duration_s
        self._monotonic = monotonic
        self._proved_at: float | None = None

    def moment(self) -> float:
        """Take this before a transaction begins; give it to `prove` when it was accepted."""
        return self._monotonic()

    def prove(self, moment: float) -> None:
        """The coordinator accepted a transaction that began after `moment`."""
        self._proved_at = moment

    def drop(self) -> None:
        """Give it up at once."""
        self._proved_at = None

    def held(self) -> bool:
        """Whether the last proof is recent enough to answer reads."""
        proved = self._proved_at
        return proved is not None and self._monotonic() - proved < self._duration_s

    def due(self) -> bool:
        """Whether a third of it has gone by since the last proof."""
        proved = self._proved_at
        return proved is None or self._monotonic() - proved >= self._duration_s / 3
