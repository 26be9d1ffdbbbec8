"""A stream's operations as the running batch has them: the stored ones, then the staged."""

from __future__ import annotations

from collections.abc import Sequence

from docreactor.agents.staging import StreamStage
from docreactor.pipeline.keys import Stream
from docreactor.tables.descent import History


class StagedHistory:
    """A `History` of one stage's stream. It shows what the batch stages from now on, too."""

    def __init__(self, stored: History, stage: StreamStage) -> None:
        self._stored = stored
        self._staged = stage.staged
        self._first = stage.loaded.next_index

    def get(self, stream: Stream, index: int) -> bytes | None:
        if index < self._first:
            return self._stored.get(stream, index)
        at = index - self._first
        return self._staged[at] if at < len(self._staged) else None

    def get_many(self, stream: Stream, indexes: Sequence[int]) -> list[bytes | None]:
        return [self.get(stream, index) for index in indexes]

    def page(self, stream: Stream, first_index: int, count_max: int) -> list[tuple[int, bytes]]:
        """Operations from this index on, ascending."""
        rows: list[tuple[int, bytes]] = []
        if first_index < self._first:
            rows = self._stored.page(stream, first_index, count_max)
        start = max(0, first_index - self._first)
        staged = self._staged[start : start + count_max - len(rows)]
        return rows + list(enumerate(staged, self._first + start))

    def page_back(self, stream: Stream, last_index: int, count_max: int) -> list[tuple[int, bytes]]:
        """Operations from this index downwards, descending."""
        rows: list[tuple[int, bytes]] = []
        at = min(last_index - self._first, len(self._staged) - 1)
        while at >= 0 and len(rows) < count_max:
            rows.append((self._first + at, self._staged[at]))
            at -= 1
        if len(rows) < count_max:
            below = min(last_index, self._first - 1)
            rows += self._stored.page_back(stream, below, count_max - len(rows))
        return rows
