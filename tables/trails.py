"""The trails of the streams that one batch builds again."""

from __future__ import annotations

from docreactor.pipeline.keys import Stream
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.leaps import Leap
from docreactor.tables.trail import Trail

_BYTES_MAX = 16 * 1024 * 1024


class Trails:
    """A trail of each stream; while all are too large, those begun first are left out.

    One stays, whose own bound is that of all.
    """

    __slots__ = ("_bytes", "_trails", "_weighed")

    def __init__(self) -> None:
        self._trails: dict[Stream, Trail] = {}
        self._weighed: dict[Stream, int] = {}
        self._bytes = 0

    def of(self, stream: Stream) -> Trail:
        """The stream's trail, begun if there is none."""
        trail = self._trails.get(stream)
        if trail is None:
            trail = self._trails[stream] = Trail()
            self._weighed[stream] = 0
        return trail

    def has(self, stream: Stream) -> bool:
        """Whether a trail of the stream was begun."""
        return stream in self._trails

    def add(self, stream: Stream, state: StreamState, leap: Leap | None = None) -> None:
        """Go on with a stream's trail, as `Trail.add`."""
        trail = self.of(stream)
        trail.add(state, leap)
        size = trail.bytes
        self._bytes += size - self._weighed[stream]
        self._weighed[stream] = size
        if self._bytes > _BYTES_MAX:
            self._shed(stream)

    def remove(self, stream: Stream) -> None:
        """Forget a stream's trail, if there is one."""
        if self._trails.pop(stream, None) is not None:
            self._bytes -= self._weighed.pop(stream)

    def _shed(self, stream: Stream) -> None:
        """Leave out others than this stream's until the rest fits."""
        for other in [one for one in self._trails if one != stream]:
            if self._bytes <= _BYTES_MAX:
                return
            self.remove(other)

    def __len__(self) -> int:
        return len(self._trails)
