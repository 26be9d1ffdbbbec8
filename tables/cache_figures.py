"""What a write cache has done, and what it holds."""

from __future__ import annotations

from typing import NamedTuple


class CacheFigures(NamedTuple):
    """What a cache has done and what it holds.

    Of the answers, `hits` were there, `warm` ones were built from a cached state and `cold` ones
    without; `keyframes_used` of these began with a keyframe. `evicted` streams had to go for want
    of room. Keyframes were `corrupted` where they are not what their operation says, `skipped`
    where no record could hold them. `state_bytes` are canonical JSON.
    """

    hits: int
    warm: int
    cold: int
    keyframes_used: int
    evicted: int
    corrupted: int
    skipped: int
    streams: int
    state_bytes: int

    @property
    def hit_rate(self) -> float | None:
        """Which part of the answers was there, 0 to 1; None before the first."""
        answers = self.hits + self.warm + self.cold
        return self.hits / answers if answers else None
