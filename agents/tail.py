"""Where a partition's next operation must stand when nobody else has written."""

from __future__ import annotations

from docreactor.agents.log import Isolation, Log, TopicPartition
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset


class Tail:
    """Notices records that a previous owner's producer left behind.

    A producer that was cut off by a broker's crash may deliver its last batch when the broker is
    back, without the coordinator's knowledge: no marker ends it, and the next commit under the same
    transactional id would make it stand. It shows in the offset at which our own records land.
    """

    def __init__(self, log: Log, source: TopicPartition, next_offset: Offset) -> None:
        self._log = log
        self._source = source
        self._next_offset = next_offset

    def check(self, first: Offset) -> None:
        """LogError unless at most the marker of our own last transaction lies between."""
        if first not in (self._next_offset, self._next_offset + 1):
            topic, partition = self._source
            raise LogError(
                f"{topic}-{partition}: expected {self._next_offset}, wrote at {first}: "
                "what lies between is not ours; restoring again"
            )

    def advance(self, next_offset: Offset) -> None:
        """Our own records end there."""
        self._next_offset = next_offset

    async def skip(self) -> None:
        """Step over what an abort of our own has left."""
        ends = await self._log.end_offsets([self._source], Isolation.UNCOMMITTED)
        self._next_offset = ends[self._source]
