"""The newest states of one stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from docreactor.pipeline.stream_state import StreamState


class Ring:
    """Holds `capacity` states; one more overwrites the one that was pushed first."""

    __slots__ = ("_states",)

    def __init__(self, capacity: int) -> None:
        self._states: deque[StreamState] = deque(maxlen=capacity)

    def push(self, state: StreamState) -> None:
        """Keep a state."""
        self._states.append(state)

    def at(self, label: int) -> StreamState | None:
        """The state of this label, the one pushed last when there are several."""
        newest_first: Iterator[StreamState] = reversed(self._states)
        return next((state for state in newest_first if state.label == label), None)

    def below(self, label: int) -> list[StreamState]:
        """The states of lower labels, the highest label first."""
        lower = [state for state in reversed(self._states) if state.label < label]
        lower.sort(key=lambda state: -state.label)
        return lower

    def clear(self) -> None:
        """Let go of all."""
        self._states.clear()

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[StreamState]:
        """In the order they were pushed."""
        return iter(self._states)
