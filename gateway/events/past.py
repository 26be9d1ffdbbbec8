"""What one subscriber has missed: read from its cursor on, by a reader of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Self

from docreactor.agents.log import Reader, TopicPartition
from docreactor.gateway.events.batch import Batch, Batches
from docreactor.gateway.events.cursor import Cursor
from docreactor.gateway.events.ground import Ground
from docreactor.pipeline.position import Offset, Position

_RECORDS_AT_ONCE = 1_000


class Past:
    """Brings batches up to given offsets, in the order of each partition.

    It reads no faster than they are taken.
    """

    def __init__(self, ground: Ground, reader: Reader) -> None:
        self._ground = ground
        self._reader = reader
        self._targets: dict[TopicPartition, Offset] = {}
        self._batches: dict[TopicPartition, Batches] = {}
        self._pending: deque[Batch] = deque()

    @classmethod
    async def open(cls, ground: Ground, cursor: Cursor) -> Self:
        """Begin to read."""
        return cls(
            ground, await ground.log.reader({source: cursor[source].start for source in cursor})
        )

    async def close(self) -> None:
        """Let go of the reader."""
        await self._reader.close()

    @property
    def is_done(self) -> bool:
        """Whether everything below the targets has been taken."""
        return not self._targets and not self._pending

    def aim(self, cursor: Cursor, targets: Mapping[TopicPartition, Offset]) -> None:
        """Bring what lies between the cursor and these. Nothing of an earlier aim is left."""
        self._targets = dict(targets)
        for source in targets:
            start = cursor[source].start
            self._reader.seek(source, start)
            self._batches[source] = self._ground.batches(source, start)

    async def take(self, timeout_s: float) -> Batch | None:
        """The next batch that reads show; None when there is none in this time.

        Where a target is reached, an empty one says so.
        """
        if not self._pending:
            await self._read(timeout_s)
        if not self._pending:
            return None
        if not await self._ground.is_shown(self._pending[0].wanted, timeout_s):
            return None
        return self._pending.popleft()

    async def _read(self, timeout_s: float) -> None:
        fetched = await self._reader.fetch(
            count_max=_RECORDS_AT_ONCE, timeout_ms=int(timeout_s * 1_000)
        )
        for source, brought in fetched.items():
            target = self._targets.get(source)
            if target is None:
                continue
            batches = self._batches[source]
            # The hub tells what lies beyond.
            records = [record for record in brought.records if record.offset < target]
            reached = min(brought.next_offset, target)
            self._pending.extend(batches.take(records, reached))
            if reached == target:
                self._pending.extend(batches.close())
                self._pending.append(_nothing(self._ground.log_id, source, target))
                del self._targets[source]


def _nothing(log_id: str, source: TopicPartition, offset: Offset) -> Batch:
    return Batch(source, offset, offset, Position(log_id, {}), ())
