"""What one transaction changed in one partition of a topic: the events that it gives rise to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.gateway.events.notice import Notice
from docreactor.pipeline.position import Offset, Position


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the order of their offsets, of the records with `start` <= offset < `end`.

    They may be told once the ready position has reached `wanted`.
    """

    source: TopicPartition
    start: Offset
    end: Offset
    wanted: Position
    notices: Sequence[Notice]

    def done(self, at: int) -> Offset:
        """Below which everything has been told after the event of this number."""
        following = at + 1
        return self.notices[following].offset if following < len(self.notices) else self.end


class Fold(Protocol):
    """Makes events out of the records of one batch. One for each topic."""

    @property
    def is_full(self) -> bool:
        """Whether no further record may be added."""
        ...

    def add(self, record: LogRecord) -> None:
        """Take the next record; one that makes no sense changes nothing."""
        ...

    def batch(self, source: TopicPartition, start: Offset, end: Offset) -> Batch:
        """What all the records give rise to."""
        ...


class Batches:
    """Puts the batches of one partition together again, whatever pieces are fetched.

    The records of a transaction lie side by side, and the marker that ends it takes an offset:
    so a hole ends a batch.
    """

    def __init__(
        self, source: TopicPartition, next_offset: Offset, new_fold: Callable[[], Fold]
    ) -> None:
        self._source = source
        self._new_fold = new_fold
        self._fold: Fold | None = None
        self._start = self.next_offset = next_offset

    @property
    def start(self) -> Offset:
        """Where to read again to lose nothing: all before it was given out."""
        return self._start if self._fold else self.next_offset

    @property
    def is_open(self) -> bool:
        """Whether the last batch may go on."""
        return self._fold is not None

    def take(self, records: Sequence[LogRecord], next_offset: Offset) -> Iterator[Batch]:
        """The batches that these records end, and then the position."""
        for record in records:
            fold = self._fold
            if fold is not None and (record.offset > self.next_offset or fold.is_full):
                yield from self.close()
                fold = None
            if fold is None:
                self._start, fold = Offset(record.offset), self._new_fold()
                self._fold = fold
            fold.add(record)
            self.next_offset = Offset(record.offset + 1)
        if next_offset > self.next_offset:
            yield from self.close()
            self.next_offset = next_offset

    def close(self) -> Iterator[Batch]:
        """The batch that is open, which ends here."""
        fold, self._fold = self._fold, None
        if fold is not None:
            yield fold.batch(self._source, self._start, self.next_offset)
