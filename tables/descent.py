"""The way down a stream's history: what still stands, and what of that counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from docreactor.pipeline.errors import CorruptHistoryError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.undo import Undoing
from docreactor.tables import fields
from docreactor.tables.leaps import Leap, Leaps

PAGE = 100
_FIRST_PAGE = 10
ORIGIN = -1
"""The label of what a stream shows before its first operation."""


class History(Protocol):
    """Reads the stored operations of streams."""

    def get(self, stream: Stream, index: int) -> bytes | None: ...

    def get_many(self, stream: Stream, indexes: Sequence[int]) -> list[bytes | None]: ...

    def page(self, stream: Stream, first_index: int, count_max: int) -> list[tuple[int, bytes]]:
        """Operations from this index on, ascending."""
        ...

    def page_back(self, stream: Stream, last_index: int, count_max: int) -> list[tuple[int, bytes]]:
        """Operations from this index downwards, descending."""
        ...


async def standing(
    history: History, stream: Stream, last_index: int
) -> AsyncIterator[tuple[int, int, bytes]]:
    """The effective history up to an index, the newest first: index, logical index, content.

    The logical index is the lowest that the operation supersedes, or its own. CorruptHistory where
    the stream has a gap. The loop gets its turn after every page.
    """
    wanted, count = last_index, _FIRST_PAGE
    while wanted > ORIGIN:
        page = history.page_back(stream, wanted, count)
        count = PAGE
        if not page or page[0][0] != wanted:
            raise CorruptHistoryError(f"{stream.prefix}: no operation {wanted}")
        for index, content in page:
            if index > wanted:
                continue
            if index != wanted:
                break
            logical = index - fields.skip(content)
            if logical < 0:
                raise CorruptHistoryError(f"{stream.prefix}{index}: skips below the first")
            yield index, logical, content
            wanted = logical - 1
        await asyncio.sleep(0)


class Descent:
    """The way down from a target, as far as it has been gone."""

    def __init__(
        self,
        history: History,
        stream: Stream,
        target: int,
        *,
        marker: str | None = None,
        leaps: Leaps | None = None,
    ) -> None:
        self._history = history
        self._stream = stream
        self.target = target
        self.wanted = target
        """The highest label that was not looked at and that stands."""
        self._undoing = Undoing()
        self.has_marker_after = marker is not None
        """Whether it begins at an UNDO or a REDO that follows the target."""
        if marker is not None:
            self._undoing.counts(marker, has_error=False)
        self._leaps = leaps
        self._counting: list[int] = []
        self._passed_over = target + 1
        self._has_settled = False
        self._made: Leap | None = None
        self.leap: Leap | None = None
        """What spares a later descent the way from here to where this one settled first."""

    async def reach(self, label: int) -> None:
        """Look at every operation above `label` that still stands, or leap over it."""
        count = _FIRST_PAGE
        while self._leap(label):
            page = self._history.page_back(
                self._stream, self.wanted, min(count, self.wanted - label)
            )
            if not page or page[0][0] != self.wanted:
                raise CorruptHistoryError(f"{self._stream.prefix}: no operation {self.wanted}")
            for index, content in page:
                if index > self.wanted:
                    continue
                if index != self.wanted:
                    break
                self._pass(index, content)
                if not self._leap(label):
                    return
            count = PAGE
            await asyncio.sleep(0)

    def serves(self, label: int) -> bool:
        """Whether what stands up to `label` is what the state of `label` is made of.

        Asked when exactly those above it have been looked at.
        """
        return self.wanted == label and self._undoing.is_settled

    @property
    def is_plain(self) -> bool:
        """Whether neither UNDO nor REDO stands among those looked at."""
        return not self._undoing.met_marker

    def counting(self, label: int) -> list[int]:
        """The indexes above `label` of the operations that the target's state is made of."""
        return [index for index in reversed(self._counting) if index > label]

    def is_whole(self, label: int) -> bool:
        """Whether all that was looked at up to a label counts: it makes the state of that label."""
        return label < self._passed_over

    def _leap(self, label: int) -> bool:
        """Leave out what need not be looked at; whether anything above `label` is left."""
        while self.wanted > label:
            leap = None if self._leaps is None else self._leaps.below(self.wanted, self._undoing)
            if leap is None:
                return True
            self._undoing.leap(has_taken=leap.has_taken, has_left=leap.has_left)
            self._counting += leap.counting
            self.wanted, self._passed_over = leap.to, leap.to + 1
            self._made = leap
        return False

    def _pass(self, index: int, content: bytes) -> None:
        skip, action_type, has_error = fields.standing(content)
        self.wanted = index - skip - 1
        if self.wanted < ORIGIN:
            raise CorruptHistoryError(f"{self._stream.prefix}{index}: skips {skip}")
        if self._undoing.counts(action_type, has_error=has_error):
            self._counting.append(index)
        else:
            self._passed_over = index
        if not self._has_settled and self._undoing.is_settled:
            self._has_settled = True
            self.leap = self._settled()

    def _settled(self) -> Leap | None:
        undoing, counting = self._undoing, tuple(self._counting)
        if not undoing.met_marker:
            return None
        if self._made is not None and counting == self._made.counting:
            # Many lie on the same few: they hold them together.
            counting = self._made.counting
        return Leap(self.wanted, counting, undoing.has_taken, undoing.has_left)
