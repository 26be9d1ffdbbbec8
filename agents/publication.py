"""Who may write one partition of `relationships`, and each of its transactions."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from docreactor.agents.log import Entry, Isolation, Log, TopicPartition, Transactor
from docreactor.agents.markers import Markers
from docreactor.pipeline.position import Offset

_log = structlog.get_logger(__name__)


class Publication:
    """One owner's right to write. Opening it fences the owner before and ends what that has open.

    A LogError out of it ends it: what is published is then to be read again by the next one.
    """

    def __init__(
        self, log: Log, source: TopicPartition, transactor: Transactor, markers: Markers
    ) -> None:
        self._log = log
        self._source = source
        self._transactor = transactor
        self._markers = markers

    @classmethod
    async def open(cls, log: Log, source: TopicPartition, transactional_id: str) -> Publication:
        """Take the partition over. From then on its end is moved by `publish` alone."""
        transactor = await log.transactor(transactional_id)
        publication = cls(log, source, transactor, Markers(log, [source]))
        try:
            await publication._mend()
        except BaseException:
            await transactor.close()
            raise
        return publication

    async def publish(self, entries: Sequence[Entry]) -> Offset:
        """Write all or nothing; returns the next offset after them, once anybody can read them.

        After a LogError it is unknown whether they stand, until it is opened again.
        """
        async with self._transactor.transaction() as transaction:
            firsts = await self._markers.watch(transaction).send({self._source: entries})
        # Nobody is told of what the loss of a marker could still undo.
        await self._markers.settle()
        first = firsts[self._source]
        if first >= 0:
            return Offset(first + len(entries))
        return (await self._log.end_offsets([self._source], Isolation.COMMITTED))[self._source]

    async def close(self) -> None:
        """Idempotent."""
        await self._transactor.close()

    async def _mend(self) -> None:
        """Abort what stands open because its marker was lost: nobody was told of it."""
        missing = await self._markers.missing()
        if not missing:
            return
        _log.warning(
            "a marker was lost", topic=self._source.topic, partition=self._source.partition
        )
        try:
            async with self._transactor.transaction() as transaction:
                await self._markers.watch(transaction).touch(missing.keys())
                raise _UndoneError
        except _UndoneError:
            pass
        await self._markers.settle()


class _UndoneError(Exception):
    """Aborts a transaction from inside."""
