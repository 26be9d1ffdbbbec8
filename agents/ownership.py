"""The right to write a partition: proved by every transaction, taken anew after a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from docreactor.agents.lease import Lease
from docreactor.agents.log import Log, TopicPartition, Transaction, Transactor
from docreactor.agents.markers import Markers, noted_ends
from docreactor.pipeline.errors import LogError, RecordRefusedError
from docreactor.pipeline.position import Offset

_log = structlog.get_logger(__name__)


class Ownership:
    """One partition's transactor, and the offset of `source` that it committed last.

    Opening it fences the previous owner and ends that one's open transaction.
    """

    def __init__(
        self,
        log: Log,
        source: TopicPartition,
        transactional_id: str,
        transactor: Transactor,
        markers: Markers,
    ) -> None:
        self._log = log
        self._source = source
        self._transactional_id = transactional_id
        self._transactor = transactor
        self._markers = markers
        self._committed: Offset | None = None
        self._settling: asyncio.Task[None] | None = None

    @classmethod
    async def take(
        cls,
        log: Log,
        source: TopicPartition,
        transactional_id: str,
        written: Sequence[TopicPartition],
    ) -> Ownership:
        """Take the partition over. `written` is all that its transactions may write to."""
        transactor = await log.transactor(transactional_id)
        return cls(log, source, transactional_id, transactor, Markers(log, written))

    async def mend(self, shown: Mapping[str, Offset]) -> None:
        """End what stands open because its marker was lost. Before the first transaction.

        It stands when the group's offset was committed with it, or when it is `shown`: the
        positions of a table that takes rows after their commit only. Otherwise nobody was told
        of it, and it is aborted.
        """
        missing = await self._markers.missing()
        if not missing:
            return
        committed = await self._log.committed(self._source)
        noted = noted_ends(await self._log.note(self._source))
        is_noted = any(
            records.start < noted.get(topic, 0) for (topic, _), records in missing.items()
        )
        consumed = shown.get(self._source.topic)
        is_shown = consumed is not None and any(
            records.start < shown.get(topic, 0) <= records.stop
            for (topic, _), records in missing.items()
        )
        _log.warning(
            "markers were lost",
            partition=self._source.partition,
            committed=committed,
            open={topic: [one.start, one.stop] for (topic, _), one in missing.items()},
            stands=is_noted or is_shown,
        )
        try:
            async with self._transactor.transaction() as transaction:
                watched = self._markers.watch(transaction)
                await watched.touch(missing.keys())
                if not is_noted and not is_shown:
                    raise _UndoneError
                if not is_noted and consumed is not None:
                    # The group's offset lost its marker too.
                    await watched.consume({self._source: consumed}, note=await self._markers.note())
        except _UndoneError:
            pass
        await self._markers.settle()

    @asynccontextmanager
    async def transaction(self, consumed: Offset, lease: Lease) -> AsyncGenerator[Transaction]:
        """One transaction that commits this offset and proves the lease, or does neither.

        After RecordRefused it may be used again. Any other LogError ends it.
        """
        await self._settle()
        moment = lease.moment()
        try:
            async with self._transactor.transaction() as transaction:
                watched = self._markers.watch(transaction)
                yield watched
                await watched.consume({self._source: consumed}, note=await self._markers.note())
        except RecordRefusedError:
            await self._open_again()
            raise
        self._committed = consumed
        lease.prove(moment)
        # While the next batch is decided: whoever writes it need not wait for this then.
        self._settling = asyncio.create_task(self._markers.settle())

    async def close(self) -> None:
        """Idempotent."""
        settling, self._settling = self._settling, None
        if settling is not None:
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
        await self._transactor.close()

    async def _settle(self) -> None:
        settling, self._settling = self._settling, None
        await (settling or self._markers.settle())

    async def _open_again(self) -> None:
        """A refusal spends a transactor. Somebody else may have come in before the next is open."""
        await self._transactor.close()
        self._transactor = await self._log.transactor(self._transactional_id)
        committed = await self._log.committed(self._source)
        if committed != self._committed:
            topic, partition = self._source
            raise LogError(f"{topic}-{partition}: another process went on from {self._committed}")


class _UndoneError(Exception):
    """Aborts a transaction from inside."""
