"""What need not be looked at again on the way down a stream's history."""

from __future__ import annotations

from typing import NamedTuple

from docreactor.pipeline.undo import Undoing


class Leap(NamedTuple):
    """What stands between a label and a lower one, where it settles by itself.

    `counting` are the indexes of it that count, the highest first; `has_taken` and `has_left` are
    those of `Undoing`.
    """

    to: int
    counting: tuple[int, ...] = ()
    has_taken: bool = False
    has_left: bool = False


class Leaps:
    """The leaps of one stream, one for each of its labels at most."""

    __slots__ = ("_leaps",)

    def __init__(self) -> None:
        self._leaps: dict[int, Leap] = {}

    def add(self, label: int, leap: Leap) -> None:
        """Remember where a descent may go on that comes to a label higher than all before it."""
        following = self._leaps.get(leap.to)
        if (
            following is not None
            and following.has_taken <= leap.has_taken
            and following.has_left <= leap.has_left
            and not (following.counting and leap.counting)
        ):
            # Whoever may make the first may make the second: a run of them is made at once.
            counting = leap.counting or following.counting
            leap = leap._replace(to=following.to, counting=counting)
        self._leaps[label] = leap

    def below(self, label: int, undoing: Undoing) -> Leap | None:
        """The leap that may be made from a label with what waits there."""
        leap = self._leaps.get(label)
        if leap is not None and undoing.may_leap(has_taken=leap.has_taken, has_left=leap.has_left):
            return leap
        return None
