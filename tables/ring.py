"""The newest states of one stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from docreactor.pipeline.stream_state import StreamState


class Ring:
    """Holds `capacity` states; one more overwrites the one that was pushed first.

    A push takes the same time whatever the capacity; a search looks at every state.
    """

    __slots__ = ("_capacity", "_states", "bytes")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._states: deque[StreamState] = deque(maxlen=capacity)
        self.bytes = 0
        """Canonical JSON of the states held."""

    def push(self, state: StreamState) -> int:
        """Keep a state; returns how many bytes more are held than before."""
        states = self._states
        gained = len(state.content)
        if len(states) == self._capacity:
            gained -= len(states[0].content)
        states.append(state)
        self.bytes += gained
        return gained

    def at(self, label: int) -> StreamState | None:
        """The state of this label, the one pushed last when there are several."""
        newest_first: Iterator[StreamState] = reversed(self._states)
        return next((state for state in newest_first if state.label == label), None)

    def has(self, label: int) -> bool:
        """Whether there is a state of this label."""
        return self.at(label) is not None

    def nearest(self, target: int | None = None) -> StreamState | None:
        """The state of the highest label, up to `target` if there is one; the last of several."""
        upto = [
            state for state in reversed(self._states) if target is None or state.label <= target
        ]
        return max(upto, key=lambda state: state.label, default=None)

    def below(self, label: int) -> list[StreamState]:
        """The states of lower labels, the highest label first."""
        lower = [state for state in reversed(self._states) if state.label < label]
        lower.sort(key=lambda state: -state.label)
        return lower

    def clear(self) -> None:
        """Let go of all."""
        self._states.clear()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[StreamState]:
        """In the order they were pushed."""
        return iter(self._states)
