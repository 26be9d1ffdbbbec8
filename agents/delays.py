"""How long after it was written an operation is shown by each read model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from prometheus_client import Histogram

from docreactor.tables.wait import Reached

_PENDING_MAX = 10_000


class Delays:
    """One partition's: a commit is a moment, and every model reaches it once."""

    def __init__(
        self, written: Reached, histogram: Histogram, monotonic_s: Callable[[], float]
    ) -> None:
        self._histogram = histogram
        self._monotonic_s = monotonic_s
        self._pending: dict[str, deque[tuple[int, float]]] = {}
        self._followed: dict[str, Reached] = {}
        written.listen(self._write)

    def follow(self, name: str, reached: Reached) -> None:
        """Measure a read model from now on, by this alone."""
        pending = self._pending[name] = deque[tuple[int, float]](maxlen=_PENDING_MAX)
        self._followed[name] = reached
        observe = self._histogram.labels(name).observe

        def show(next_offset: int) -> None:
            if self._pending.get(name) is not pending:
                return
            now_s = self._monotonic_s()
            while pending and pending[0][0] <= next_offset:
                observe(now_s - pending.popleft()[1])

        reached.listen(show)

    def forget(self, name: str, reached: Reached) -> None:
        """Measure a read model no more, if it is measured by this."""
        if self._followed.get(name) is reached:
            del self._followed[name], self._pending[name]

    def _write(self, next_offset: int) -> None:
        now_s = self._monotonic_s()
        for pending in self._pending.values():
            pending.append((next_offset, now_s))
