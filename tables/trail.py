"""Some of the states that one stream went through, to build others from."""

from __future__ import annotations

from collections import deque

from docreactor.pipeline.stream_state import StreamState

_NEWEST_STATES = 10
_OLDER_STATES_MAX = 64
_BYTES_MAX = 16 * 1024 * 1024


class Trail:
    """Remembers the newest states, and of the older ones every so many, within a bound of bytes."""

    __slots__ = ("_apart", "_bytes", "_newest", "_older")

    def __init__(self) -> None:
        self._apart = 1
        self._bytes = 0
        self._older: list[StreamState] = []
        self._newest: deque[StreamState] = deque()

    def add(self, state: StreamState) -> None:
        """Remember a state whose label is higher than those of all before it."""
        self._newest.append(state)
        self._bytes += len(state.content)
        if len(self._newest) > _NEWEST_STATES:
            oldest = self._newest.popleft()
            if oldest.label % self._apart:
                self._bytes -= len(oldest.content)
            else:
                self._older.append(oldest)
        if len(self._older) > _OLDER_STATES_MAX or self._bytes > _BYTES_MAX:
            self._thin()

    def upto(self, label: int) -> list[StreamState]:
        """The states of labels up to this one, the highest first."""
        return [one for one in reversed([*self._older, *self._newest]) if one.label <= label]

    def _thin(self) -> None:
        while len(self._older) > _OLDER_STATES_MAX or (self._older and self._bytes > _BYTES_MAX):
            self._apart *= 2
            kept = [one for one in self._older if one.label % self._apart == 0]
            # A state of label 0 is a multiple of any distance.
            self._older = kept if len(kept) < len(self._older) else []
            self._bytes = sum([len(one.content) for one in (*self._older, *self._newest)])
        while len(self._newest) > 1 and self._bytes > _BYTES_MAX:
            self._bytes -= len(self._newest.popleft().content)
