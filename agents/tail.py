"""Where a partition's next operation will stand when nobody else writes."""

from __future__ import annotations

from docreactor.agents.log import Isolation, Log, TopicPartition
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset


class Tail:
    """Says at which offset our next record lands, and notices that somebody else has written.

    The owner of a partition is its only writer: behind its own last record stands the marker of
    its transaction and nothing else. What an earlier transaction has left open is ended before:
    see `Markers` and `Ownership.mend`.
    """

    def __init__(self, log: Log, source: TopicPartition) -> None:
        self._log = log
        self._source = source
        self._next: Offset | None = None

    async def next_offset(self) -> Offset:
        """Where our next record must land; the log is asked where that is not known."""
        if self._next is None:
            ends = await self._log.end_offsets([self._source], Isolation.UNCOMMITTED)
            self._next = ends[self._source]
        return self._next

    def check(self, first: Offset) -> None:
        """LogError unless our records landed where they had to."""
        if first != self._next:
            topic, partition = self._source
            raise LogError(
                f"{topic}-{partition}: expected {self._next}, wrote at {first}: "
                "what lies between is not ours; restoring again"
            )

    def committed(self, next_offset: Offset) -> None:
        """Our own records end there, and their marker follows."""
        self._next = Offset(next_offset + 1)

    def forget(self) -> None:
        """What was aborted has left an unknown number of records."""
        self._next = None
