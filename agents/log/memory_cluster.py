"""A cluster in memory: what the clients of one simulated Kafka share."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.memory_group import MemoryGroup
from docreactor.agents.log.memory_partition import MemoryBatch, MemoryPartition, Outcome
from docreactor.pipeline.errors import FencedError, LogError, RecordRefusedError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.topics import TopicDeclaration

_FRAME_BYTES = 70
_MESSAGE_BYTES_MAX = "1048588"


@dataclass(slots=True, eq=False)
class Session:
    """One opening of a transactional id, and its open transaction."""

    transactional_id: str
    batch: MemoryBatch | None = None


class MemoryCluster:
    """Deterministic: the clock is an argument, by default a millisecond for every write.

    A partition among `leaderless` gets no marker, as on a Kafka that has KAFKA-20734.
    """

    def __init__(self, *, broker_count: int = 1, clock_ms: Callable[[], int] | None = None) -> None:
        self.broker_count = broker_count
        self.topics: dict[str, TopicDeclaration] = {}
        self.committed: dict[str, dict[TopicPartition, Offset]] = defaultdict(dict)
        self.notes: dict[str, dict[TopicPartition, str]] = defaultdict(dict)
        self.leaderless: set[TopicPartition] = set()
        self.groups: dict[str, MemoryGroup] = defaultdict(MemoryGroup)
        self._clock_ms = clock_ms or count().__next__
        self._partitions: dict[TopicPartition, MemoryPartition] = {}
        self._sessions: dict[str, Session] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    def create(self, topic: TopicDeclaration) -> bool:
        """Create it; False if it was there."""
        if topic.name in self.topics:
            return False
        self.topics[topic.name] = topic
        for number in range(topic.partition_count):
            name = TopicPartition(topic.name, number)
            self._partitions[name] = MemoryPartition(name)
        return True

    def partition(self, name: TopicPartition) -> MemoryPartition:
        """LogError where the topic or the partition does not exist."""
        if name not in self._partitions:
            raise LogError(f"there is no {name.topic}-{name.partition}: create the topic first")
        return self._partitions[name]

    def open(self, transactional_id: str) -> Session:
        """Fence the last owner and abort what it has open."""
        if last := self._sessions.get(transactional_id):
            self._end(last, Outcome.ABORTED)
        session = self._sessions[transactional_id] = Session(transactional_id)
        return session

    def begin(self, session: Session) -> None:
        """Open a transaction; Fenced for one that is not the last owner."""
        self.check(session)
        session.batch = MemoryBatch(session.transactional_id)

    def append(
        self, appends: Mapping[TopicPartition, Sequence[Entry]], session: Session | None
    ) -> Mapping[TopicPartition, Offset]:
        """Write to all, or RecordRefused and write to none; returns each one's first offset."""
        if session is not None:
            self.check(session)
        for name, entries in appends.items():
            self._check_sizes(name, entries)
        batch = session.batch if session is not None else None
        timestamp = self._clock_ms()
        offsets = {
            name: self.partition(name).append(entries, batch, timestamp=timestamp)
            for name, entries in appends.items()
            if entries
        }
        self.notify()
        return offsets

    def touch(self, session: Session, names: Collection[TopicPartition]) -> None:
        """Have these get the transaction's marker."""
        self.check(session)
        for name in names:
            self.partition(name).append([], session.batch, timestamp=0)

    def commit(
        self,
        session: Session,
        group: str,
        next_offsets: Mapping[TopicPartition, Offset],
        notes: Mapping[TopicPartition, str],
    ) -> None:
        """Make the transaction's records visible and its offsets the group's, in one step."""
        self.check(session)
        self.committed[group].update(next_offsets)
        self.notes[group].update(notes)
        self._end(session, Outcome.COMMITTED)

    def abort(self, session: Session) -> None:
        """End the transaction without effect."""
        self.check(session)
        self._end(session, Outcome.ABORTED)

    def check(self, session: Session) -> None:
        """Fenced unless nobody opened the same id later."""
        if self._sessions.get(session.transactional_id) is not session:
            raise FencedError(f"{session.transactional_id} was opened again: end this process")

    def compact(self, topic: str, *, with_tombstones: bool = False) -> None:
        """Compact every partition now, and drop tombstones when told to."""
        for partition in self._partitions_of(topic):
            partition.compact(with_tombstones=with_tombstones)

    def truncate(self, name: TopicPartition, *, before: Offset) -> None:
        """Delete what lies below the offset."""
        self.partition(name).truncate(before)

    def notify(self) -> None:
        """Wake everybody who waits for a change."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def change(self, *, timeout_s: float) -> None:
        """Return when anything has changed, and at the latest after the timeout."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait({waiting}, timeout=timeout_s)
        finally:
            self._waiting.discard(waiting)

    def _end(self, session: Session, outcome: Outcome) -> None:
        batch, session.batch = session.batch, None
        if batch is None:
            return
        batch.outcome = outcome
        for name in batch.began:
            if name not in self.leaderless:
                self.partition(name).mark(batch)
        self.notify()

    def _check_sizes(self, name: TopicPartition, entries: Sequence[Entry]) -> None:
        self.partition(name)
        config = self.topics[name.topic].config
        limit = int(config.get("max.message.bytes", _MESSAGE_BYTES_MAX))
        for entry in entries:
            headers = sum(len(key) + len(value) for key, value in entry.headers)
            size = len(entry.key or b"") + len(entry.value or b"") + headers + _FRAME_BYTES
            if size > limit:
                raise RecordRefusedError(*name, f"{size} bytes are over {limit}")

    def _partitions_of(self, topic: str) -> Iterable[MemoryPartition]:
        return (self._partitions[name] for name in self._partitions if name.topic == topic)
