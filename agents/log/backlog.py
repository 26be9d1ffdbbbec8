"""What has arrived of one partition and has not been handed out yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from docreactor.agents.log import LogRecord

_RECORDS_ENOUGH = 2_000
_BYTES_ENOUGH = 2 * 1024 * 1024


class Backlog:
    """Records in order, and whether more of them should be fetched meanwhile."""

    def __init__(self) -> None:
        self._records: deque[LogRecord] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def enough(self) -> bool:
        """Whether it would only grow: the next fetch may leave this partition out."""
        return len(self._records) >= _RECORDS_ENOUGH or self._bytes >= _BYTES_ENOUGH

    def add(self, records: Sequence[LogRecord]) -> None:
        """Append what has arrived."""
        self._records.extend(records)
        self._bytes += _bytes(records)

    def take(self, count_max: int) -> Sequence[LogRecord]:
        """Hand out the oldest, at most so many."""
        if count_max >= len(self._records):
            taken = list(self._records)
            self.clear()
            return taken
        taken = [self._records.popleft() for _ in range(count_max)]
        self._bytes -= _bytes(taken)
        return taken

    def clear(self) -> None:
        """Forget all of it."""
        self._records.clear()
        self._bytes = 0


def _bytes(records: Sequence[LogRecord]) -> int:
    return sum([len(record.value or b"") for record in records])
