"""The way down a stream's history: what still stands, and what of that counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from docreactor.pipeline.errors import CorruptHistoryError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.undo import Undoing
from docreactor.tables import fields

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
        self, history: History, stream: Stream, target: int, *, marker: str | None = None
    ) -> None:
        self._history = history
        self._stream = stream
        self.target = target
        self._wanted = target
        self._undoing = Undoing()
        self.has_marker_after = marker is not None
        """Whether it begins at an UNDO or a REDO that follows the target."""
        if marker is not None:
            self._undoing.counts(marker, has_error=False)
        self._counting: list[int] = []

    async def reach(self, label: int) -> None:
        """Look at every operation above `label` that still stands."""
        while self._wanted > label:
            count = min(PAGE, self._wanted - label)
            page = self._history.page_back(self._stream, self._wanted, count)
            if not page or page[0][0] != self._wanted:
                raise CorruptHistoryError(f"{self._stream.prefix}: no operation {self._wanted}")
            for index, content in page:
                if index > self._wanted:
                    continue
                if index != self._wanted:
                    break
                self._pass(index, content)
            if self._wanted > label:
                await asyncio.sleep(0)

    def serves(self, label: int) -> bool:
        """Whether what stands up to `label` is what the state of `label` is made of.

        Asked when exactly those above it have been looked at.
        """
        return self._wanted == label and self._undoing.is_settled

    @property
    def is_plain(self) -> bool:
        """Whether neither UNDO nor REDO stands among those looked at."""
        return not self._undoing.met_marker

    def counting(self, label: int) -> list[int]:
        """The indexes above `label` of the operations that the target's state is made of."""
        return [index for index in reversed(self._counting) if index > label]

    def _pass(self, index: int, content: bytes) -> None:
        skip, action_type, has_error = fields.standing(content)
        self._wanted = index - skip - 1
        if self._wanted < ORIGIN:
            raise CorruptHistoryError(f"{self._stream.prefix}{index}: skips {skip}")
        if self._undoing.counts(action_type, has_error=has_error):
            self._counting.append(index)
