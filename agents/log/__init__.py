"""The log as the agents see it: topics, partitions, transactions. Kafka and memory implement it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from docreactor.pipeline.position import Offset
from docreactor.pipeline.record import HEADERS, Headers
from docreactor.pipeline.topics import TopicDeclaration


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Entry(NamedTuple):
    """A record to be written. A `value` of None is a tombstone."""

    key: bytes | None
    value: bytes | None
    headers: Headers = HEADERS


class LogRecord(Protocol):
    """A record that was read."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def timestamp(self) -> int:
        """When it was written, milliseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one fetch brought of one partition.

    `next_offset` is the reader's position afterwards: over transaction markers and compacted
    records it moves alone, and then `records` is empty.
    """

    records: Sequence[LogRecord]
    next_offset: Offset


class Isolation(StrEnum):
    """What a reader sees of open and aborted transactions."""

    COMMITTED = "read_committed"
    UNCOMMITTED = "read_uncommitted"


class Reader(Protocol):
    """Reads partitions that it was given."""

    async def fetch(self, *, count_max: int, timeout_ms: int) -> Mapping[TopicPartition, Fetched]:
        """Whatever has come, per partition whose position moved; empty after the timeout.

        At most so many records in all. Passing trouble is waited out; OffsetOutOfRange where the
        log no longer holds a position; LogError when the reader is to be opened again.
        """
        ...

    def seek(self, source: TopicPartition, offset: Offset) -> None:
        """Read on from there. Nothing happens where the partition is not read or assigned."""
        ...

    async def close(self) -> None:
        """Idempotent."""
        ...


class Assignments(Protocol):
    """Who is told about partitions. What it raises comes out of the member's `fetch`."""

    async def revoked(self, sources: frozenset[TopicPartition]) -> None:
        """All that were assigned, before every rebalance; not when the member is closed.

        The group waits for its return, so long as its rebalance timeout.
        """
        ...

    async def assigned(self, sources: frozenset[TopicPartition]) -> None:
        """All that are now assigned. It must return at once: nothing beats for the member.

        Every partition starts paused, at offset 0 as a placeholder: seek, then resume.
        """
        ...


class Flow(Protocol):
    """Holds partitions back, and lets them go on."""

    def pause(self, *sources: TopicPartition) -> None:
        """Fetch nothing of these; what has come already is kept for their resumption."""
        ...

    def resume(self, *sources: TopicPartition) -> None:
        """Fetch these again."""
        ...


class Member(Reader, Flow, Protocol):
    """A member of the group: it reads the partitions that the group assigns to it."""


class Writer(Protocol):
    """Appends outside transactions; idempotent, acknowledged by every in-sync replica."""

    async def append(self, to: TopicPartition, entries: Sequence[Entry]) -> Offset:
        """Returns the first entry's offset once all are acknowledged; they stand in order.

        At least one entry. TooLarge or RecordRefused where one does not fit; after any other
        LogError it is unknown which of them stand. The writer stays usable.
        """
        ...

    async def close(self) -> None:
        """Idempotent."""
        ...


class Transaction(Protocol):
    """What is written together. Usable inside its `async with` only."""

    async def send(
        self, appends: Mapping[TopicPartition, Sequence[Entry]]
    ) -> Mapping[TopicPartition, Offset]:
        """Write, await every acknowledgement, and return each partition's first offset.

        A partition's entries stand at consecutive offsets. RecordRefused when the broker refuses
        any of them (nothing of the transaction will stand); -1 where the offset is unknown.
        """
        ...

    async def touch(self, sources: Collection[TopicPartition]) -> None:
        """Write nothing there but the marker that ends the transaction.

        It also ends what an earlier transaction of the same id has left open there.
        """
        ...

    async def consume(
        self, next_offsets: Mapping[TopicPartition, Offset], *, note: str = ""
    ) -> None:
        """Commit the group's offsets with the transaction, and a note. After every send."""
        ...


class Transactor(Protocol):
    """The one writer behind a transactional id.

    A LogError out of a transaction spends it: after Fenced end the process; after any other,
    RecordRefused included, close it, open the id again, and read the committed offset again,
    because another process may have come in between. What the block itself raises aborts, and
    the transactor stays usable. One transaction at a time.
    """

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begins on entry, commits on exit, aborts when the block raises.

        After the exit it is decided; readers, end offsets and the group's offsets show it a
        moment later, and to whoever opens the same id, at once.

        Fenced when another process has opened the same transactional id; RecordRefused as in
        `send`, even if the block caught it; any other LogError on exit leaves it unknown whether
        the transaction stands, until the id is opened again.
        """
        ...

    async def close(self) -> None:
        """Idempotent. An open transaction is aborted, or left to time out when it cannot be."""
        ...


class Log(Protocol):
    """A cluster of topics, as one deployment's process uses it."""

    async def transactor(self, transactional_id: str) -> Transactor:
        """Fences the previous owner and ends its open transaction before it returns.

        LogError when that takes longer than a request may.
        """
        ...

    async def writer(self) -> Writer: ...

    async def reader(
        self,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> Reader: ...

    async def member(self, topics: Sequence[str], assignments: Assignments) -> Member:
        """Join the group `<app>-reactor`; equal partition numbers go to the same member.

        `assignments` hears nothing before this has returned.
        """
        ...

    async def committed(self, source: TopicPartition) -> Offset | None:
        """The group's committed offset."""
        ...

    async def note(self, source: TopicPartition) -> str:
        """What the transaction that committed the group's offset noted with it, or nothing."""
        ...

    async def commit(self, next_offsets: Mapping[TopicPartition, Offset]) -> None:
        """Set the group's offsets by hand. GroupHasMembers while it has any."""
        ...

    async def start_offsets(
        self, sources: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Offset]: ...

    async def end_offsets(
        self,
        sources: Sequence[TopicPartition],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> Mapping[TopicPartition, Offset]:
        """The next offset to be written, or with COMMITTED the first one of an open transaction."""
        ...

    async def offsets_since(
        self, times_ms: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, Offset]:
        """Where to begin to read what was written at these times or later.

        Every committed record below was written before, by the clock of its writer.
        """
        ...

    async def create(self, topics: Sequence[TopicDeclaration]) -> Sequence[str]:
        """Create those that are missing; returns their names once they can be used."""
        ...

    async def describe(self, names: Sequence[str]) -> Sequence[TopicDeclaration]:
        """Those that exist, each with its whole configuration."""
        ...

    async def broker_count(self) -> int:
        """How many brokers live."""
        ...

    async def close(self) -> None:
        """Closes what it opened and nobody has closed."""
        ...
