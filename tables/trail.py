"""Some of the states that one stream went through, to build others from."""

from __future__ import annotations

from bisect import insort
from collections import deque

from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.leaps import Leap, Leaps

_NEWEST_STATES = 10
_MET_STATES = 64
_OLDER_STATES_MAX = 64
_MET_BYTES_MAX = 4 * 1024 * 1024
_BYTES_MAX = 12 * 1024 * 1024


class Trail:
    """Remembers the newest states, those met last, and of all others every so many.

    Within a bound of bytes. `leaps` says what no later descent need look at.
    """

    __slots__ = ("_apart", "_bytes", "_met", "_met_bytes", "_newest", "_older", "leaps")

    def __init__(self) -> None:
        self._apart = 1
        self._bytes = 0
        self._met_bytes = 0
        self._older: list[StreamState] = []
        self._newest: deque[StreamState] = deque()
        self._met: deque[StreamState] = deque()
        self.leaps = Leaps()

    @property
    def bytes(self) -> int:
        """Canonical JSON of the states held."""
        return self._bytes + self._met_bytes

    def add(self, state: StreamState, leap: Leap | None = None) -> None:
        """Remember a state whose label is higher than those of all before it, and its leap."""
        if leap is not None:
            self.leaps.add(state.label, leap)
        self._newest.append(state)
        self._bytes += len(state.content)
        if len(self._newest) > _NEWEST_STATES:
            oldest = self._newest.popleft()
            self._bytes -= len(oldest.content)
            self._space(oldest)
        self._thin()

    def meet(self, state: StreamState) -> None:
        """Remember a state of a lower label, which the next one may be close to."""
        self._met.append(state)
        self._met_bytes += len(state.content)
        while len(self._met) > _MET_STATES or self._met_bytes > _MET_BYTES_MAX:
            self._met_bytes -= len(self._met.popleft().content)
        self._space(state)
        self._thin()

    def upto(self, label: int) -> list[StreamState]:
        """The states of labels up to this one, the highest first."""
        states = [one for one in (*self._older, *self._met, *self._newest) if one.label <= label]
        states.sort(key=label_of, reverse=True)
        return states

    def _space(self, state: StreamState) -> None:
        """Remember every so many."""
        if state.label % self._apart == 0 and state.label not in map(label_of, self._older):
            insort(self._older, state, key=label_of)
            self._bytes += len(state.content)

    def _thin(self) -> None:
        while len(self._older) > _OLDER_STATES_MAX or (self._older and self._bytes > _BYTES_MAX):
            self._apart *= 2
            kept = [one for one in self._older if one.label % self._apart == 0]
            # A state of label 0 is a multiple of any distance.
            self._older = kept if len(kept) < len(self._older) else []
            self._bytes = sum([len(one.content) for one in (*self._older, *self._newest)])
        while len(self._newest) > 1 and self._bytes > _BYTES_MAX:
            self._bytes -= len(self._newest.popleft().content)


def label_of(state: StreamState) -> int:
    """What states are ordered by."""
    return state.label
