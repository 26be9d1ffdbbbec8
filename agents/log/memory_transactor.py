"""Transactors and writers on a cluster in memory, with a hook between any two steps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.memory_cluster import MemoryCluster, Session
from docreactor.agents.log.standing import Standing
from docreactor.pipeline.errors import LogError, TooLargeError
from docreactor.pipeline.position import Offset

Hook = Callable[[str], Awaitable[None]]
"""Awaited before and after every step of writing, with its name; what it raises comes out.

Openings: `open`, `opened`; appends: `append`, `appended`; transactions: `begin`, `begun`, `send`,
`sent`, `touch`, `touched`, `consume`, `consumed`, `commit`, `committed`, `abort`, `aborted`.
"""


class MemoryTransaction:
    """A Transaction on a MemoryCluster."""

    def __init__(self, cluster: MemoryCluster, session: Session, hook: Hook) -> None:
        self._cluster = cluster
        self._session = session
        self._hook = hook
        self.next_offsets: dict[TopicPartition, Offset] = {}
        self.notes: dict[TopicPartition, str] = {}
        self.failure: LogError | None = None

    async def send(
        self, appends: Mapping[TopicPartition, Sequence[Entry]]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Transaction.send`."""
        await self._hook("send")
        try:
            offsets = self._cluster.append(appends, self._session)
        except LogError as error:
            self.failure = error
            raise
        await self._hook("sent")
        return offsets

    async def touch(self, sources: Collection[TopicPartition]) -> None:
        """As `Transaction.touch`."""
        await self._hook("touch")
        self._cluster.touch(self._session, sources)
        await self._hook("touched")

    async def consume(
        self, next_offsets: Mapping[TopicPartition, Offset], *, note: str = ""
    ) -> None:
        """As `Transaction.consume`."""
        await self._hook("consume")
        self._cluster.check(self._session)
        self.next_offsets.update(next_offsets)
        self.notes.update(dict.fromkeys(next_offsets, note))
        await self._hook("consumed")


class MemoryTransactor:
    """A Transactor on a MemoryCluster.

    What its hook raises on `abort` leaves the transaction open, as a crash does.
    """

    def __init__(self, cluster: MemoryCluster, session: Session, group: str, hook: Hook) -> None:
        self._cluster = cluster
        self._session = session
        self._group = group
        self._hook = hook
        self._standing = Standing()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[MemoryTransaction, None]:
        """As `Transactor.transaction`."""
        self._standing.check()
        await self._hook("begin")
        self._spending(self._cluster.begin)
        await self._hook("begun")
        transaction = MemoryTransaction(self._cluster, self._session, self._hook)
        try:
            yield transaction
            if transaction.failure:
                raise transaction.failure
            self._standing.check()
        except BaseException:
            self._standing.spend(transaction.failure)
            await self._hook("abort")
            self._spending(self._cluster.abort)
            await self._hook("aborted")
            raise
        await self._hook("commit")
        self._spending(
            lambda session: self._cluster.commit(
                session, self._group, transaction.next_offsets, transaction.notes
            )
        )
        await self._hook("committed")

    async def close(self) -> None:
        """As `Transactor.close`."""
        self._standing.spend(LogError("it was closed"))

    def _spending(self, step: Callable[[Session], None]) -> None:
        try:
            step(self._session)
        except LogError as error:
            self._standing.spend(error)
            raise


class MemoryWriter:
    """A Writer on a MemoryCluster."""

    def __init__(self, cluster: MemoryCluster, hook: Hook, *, record_bytes_max: int) -> None:
        self._cluster = cluster
        self._hook = hook
        self._record_bytes_max = record_bytes_max

    async def append(self, to: TopicPartition, entries: Sequence[Entry]) -> Offset:
        """As `Writer.append`."""
        largest = max(len(entry.value or b"") for entry in entries)
        if largest > self._record_bytes_max:
            raise TooLargeError("a record", limit=self._record_bytes_max, actual=largest)
        await self._hook("append")
        offset = self._cluster.append({to: entries}, None)[to]
        await self._hook("appended")
        return offset

    async def close(self) -> None:
        """Idempotent."""
