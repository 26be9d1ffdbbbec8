"""One partition of a log in memory: records at offsets, and who can see them yet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from docreactor.agents.log import Entry, Isolation, TopicPartition
from docreactor.pipeline.errors import OffsetOutOfRangeError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.record import Headers


class Outcome(Enum):
    """How far a transaction has come."""

    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass(slots=True, eq=False)
class MemoryBatch:
    """A transaction as the partitions see it, with where it began and how it ended in each."""

    owner: object = field(default_factory=object)
    outcome: Outcome = Outcome.OPEN
    began: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])
    ended: dict[TopicPartition, Outcome] = field(default_factory=dict[TopicPartition, Outcome])


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A LogRecord, and the transaction that it belongs to."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int
    batch: MemoryBatch | None


class MemoryPartition:
    """Offsets only grow: markers take one, and compaction leaves holes."""

    def __init__(self, name: TopicPartition) -> None:
        self.name = name
        self.start = 0
        self.end = 0
        self._records: list[MemoryRecord] = []
        self._open: list[MemoryBatch] = []

    def append(
        self, entries: Sequence[Entry], batch: MemoryBatch | None, *, timestamp: int
    ) -> Offset:
        """Write them one behind the other; returns the first's offset."""
        first = Offset(self.end)
        if batch is not None and self.name not in batch.began:
            batch.began[self.name] = first
            self._open.append(batch)
        for entry in entries:
            self._records.append(MemoryRecord(self.end, *entry, timestamp, batch))
            self.end += 1
        return first

    def mark(self, batch: MemoryBatch) -> None:
        """Write the marker that ends a transaction here, and whatever its owner has open."""
        for each in [one for one in self._open if one.owner == batch.owner]:
            each.ended[self.name] = batch.outcome
            self._open.remove(each)
        self.end += 1

    def visible_end(self, isolation: Isolation) -> Offset:
        """The next offset to be written, or for COMMITTED the first of an open transaction."""
        if isolation is Isolation.UNCOMMITTED or not self._open:
            return Offset(self.end)
        return Offset(min(batch.began[self.name] for batch in self._open))

    def since(self, time_ms: int) -> Offset:
        """The first committed record's offset of that time or later, or where the next can be."""
        end = self.visible_end(Isolation.COMMITTED)
        for record in self._records[: self._index(end)]:
            if record.timestamp >= time_ms:
                return Offset(record.offset)
        return end

    def read(
        self, offset: Offset, *, count_max: int, isolation: Isolation
    ) -> tuple[list[MemoryRecord], Offset]:
        """The records from there on, and the position after them."""
        if not self.start <= offset <= self.end:
            raise OffsetOutOfRangeError(*self.name, offset)
        end = self.visible_end(isolation)
        found: list[MemoryRecord] = []
        for record in self._records[self._index(offset) : self._index(end)]:
            if isolation is Isolation.COMMITTED and self._is_aborted(record):
                continue
            if len(found) == count_max:
                return found, Offset(found[-1].offset + 1)
            found.append(record)
        return found, Offset(max(offset, end))

    def compact(self, *, with_tombstones: bool) -> None:
        """Keep the newest record of every key, of what is stable; an aborted one never stays."""
        stable = self._index(self.visible_end(Isolation.COMMITTED))
        newest = {
            record.key: record.offset
            for record in self._records[:stable]
            if not self._is_aborted(record)
        }
        kept = [
            record
            for record in self._records[:stable]
            if newest.get(record.key) == record.offset
            and not (with_tombstones and record.value is None)
        ]
        self._records[:stable] = kept

    def truncate(self, before: Offset) -> None:
        """Delete what lies below the offset."""
        del self._records[: self._index(before)]
        self.start = max(self.start, before)

    def _index(self, offset: int) -> int:
        return bisect_left(self._records, offset, key=lambda record: record.offset)

    def _is_aborted(self, record: MemoryRecord) -> bool:
        return record.batch is not None and record.batch.ended.get(self.name) is Outcome.ABORTED
