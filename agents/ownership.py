"""The right to write a partition: proved by every transaction, taken anew after a refusal."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from docreactor.agents.lease import Lease
from docreactor.agents.log import Log, TopicPartition, Transaction, Transactor
from docreactor.pipeline.errors import LogError, RecordRefusedError
from docreactor.pipeline.position import Offset


class Ownership:
    """One partition's transactor, and the offset of `source` that it committed last.

    Opening it fences the previous owner and ends that one's open transaction.
    """

    def __init__(
        self, log: Log, source: TopicPartition, transactional_id: str, transactor: Transactor
    ) -> None:
        self._log = log
        self._source = source
        self._transactional_id = transactional_id
        self._transactor = transactor
        self._committed: Offset | None = None

    @classmethod
    async def take(cls, log: Log, source: TopicPartition, transactional_id: str) -> Ownership:
        """Take the partition over."""
        transactor = await log.transactor(transactional_id)
        return cls(log, source, transactional_id, transactor)

    @asynccontextmanager
    async def transaction(self, consumed: Offset, lease: Lease) -> AsyncGenerator[Transaction]:
        """One transaction that commits this offset and proves the lease, or does neither.

        After RecordRefused it may be used again. Any other LogError ends it.
        """
        moment = lease.moment()
        try:
            async with self._transactor.transaction() as transaction:
                yield transaction
                await transaction.consume({self._source: consumed})
        except RecordRefusedError:
            await self._open_again()
            raise
        self._committed = consumed
        lease.prove(moment)

    async def close(self) -> None:
        """Idempotent."""
        await self._transactor.close()

    async def _open_again(self) -> None:
        """A refusal spends a transactor. Somebody else may have come in before the next is open."""
        await self._transactor.close()
        self._transactor = await self._log.transactor(self._transactional_id)
        committed = await self._log.committed(self._source)
        if committed != self._committed:
            topic, partition = self._source
            raise LogError(f"{topic}-{partition}: another process went on from {self._committed}")
