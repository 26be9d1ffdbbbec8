"""How far a subscriber is: what of each partition of both topics it has been told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

from docreactor.agents.log import TopicPartition
from docreactor.gateway.events.batch import Batch
from docreactor.pipeline.errors import InvalidInputError, TokenOfAnotherLogError
from docreactor.pipeline.position import Offset

_FORM = re.compile(
    r"([0-9a-f]{32})\.(\d{1,19}(?:_\d{1,19})?(?:-\d{1,19}(?:_\d{1,19})?)*)", re.ASCII
)


class Mark(NamedTuple):
    """Where to read on in one partition: from `start`, and tell nothing that lies below `done`.

    They differ while a batch has been told in part: it is read again, from its first record on.
    """

    start: Offset
    done: Offset


class Cursor:
    """The marks of one subscriber. They only move up. Its text is the `id` of an event."""

    def __init__(self, log_id: str, marks: Mapping[TopicPartition, Mark]) -> None:
        self._log_id = log_id
        self._marks = dict(marks)

    @classmethod
    def at(cls, log_id: str, offsets: Mapping[TopicPartition, Offset]) -> Self:
        """The cursor of somebody who is told everything from there on."""
        return cls(log_id, {source: Mark(offset, offset) for source, offset in offsets.items()})

    @classmethod
    def parse(cls, text: str, *, log_id: str, sources: list[TopicPartition]) -> Self:
        """Read a cursor of this log. TokenOfAnotherLog, or InvalidInput for anything else."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise _refusal()
        if match[1] != log_id:
            raise TokenOfAnotherLogError(expected=log_id, actual=match[1])
        marks = [_mark(part) for part in match[2].split("-")]
        if len(marks) != len(sources):
            raise _refusal()
        return cls(log_id, dict(zip(sources, marks, strict=True)))

    @property
    def text(self) -> str:
        """The opaque, URL-safe form."""
        parts = [
            f"{start}" if start == done else f"{start}_{done}"
            for start, done in self._marks.values()
        ]
        return f"{self._log_id}.{'-'.join(parts)}"

    def __getitem__(self, source: TopicPartition) -> Mark:
        """Where one partition stands."""
        return self._marks[source]

    def __iter__(self) -> Iterator[TopicPartition]:
        """The partitions, in the order of the text."""
        return iter(self._marks)

    def has_passed(self, batch: Batch) -> bool:
        """Whether nothing of the batch is to be told."""
        return self._marks[batch.source].done >= batch.end

    def tell(self, batch: Batch, at: int) -> None:
        """The event of this number has been told, and those before it."""
        done = batch.done(at)
        start = batch.end if done == batch.end else batch.start
        self._move(batch.source, Mark(start, done))

    def pass_by(self, source: TopicPartition, offset: Offset) -> None:
        """Nothing below is to be told any more."""
        self._move(source, Mark(offset, offset))

    def _move(self, source: TopicPartition, mark: Mark) -> None:
        if mark.done > self._marks[source].done:
            self._marks[source] = mark


def _mark(text: str) -> Mark:
    start, _, done = text.partition("_")
    mark = Mark(Offset(int(start)), Offset(int(done or start)))
    if mark.done < mark.start:
        raise _refusal()
    return mark


def _refusal() -> InvalidInputError:
    return InvalidInputError("Last-Event-ID", "is not the id of an event: pass one back as it came")
