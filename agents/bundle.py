"""Several records appended together, or none: a transaction of the node's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from docreactor.agents.log import Entry, Log, TopicPartition, Transactor
from docreactor.agents.markers import Markers
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset

_log = structlog.get_logger(__name__)


class BundleWriter:
    """Opens its transactional id when it is first needed, and again after whatever spent it."""

    def __init__(self, log: Log, transactional_id: str) -> None:
        self._log = log
        self._transactional_id = transactional_id
        self._transactor: Transactor | None = None
        self._one_at_a_time = asyncio.Lock()

    async def append(
        self, appends: Mapping[TopicPartition, Sequence[Entry]]
    ) -> Mapping[TopicPartition, Offset]:
        """Returns each partition's first offset, -1 where it is unknown, once all are readable.

        RecordRefused when nothing of it stands; after any other LogError that is unknown.
        """
        async with self._one_at_a_time:
            if self._transactor is None:
                self._transactor = await self._log.transactor(self._transactional_id)
            try:
                return await self._append(self._transactor, appends)
            except LogError:
                await self._let_go()
                raise

    async def close(self) -> None:
        """Idempotent."""
        async with self._one_at_a_time:
            await self._let_go()

    async def _append(
        self, transactor: Transactor, appends: Mapping[TopicPartition, Sequence[Entry]]
    ) -> Mapping[TopicPartition, Offset]:
        markers = Markers(self._log, list(appends))
        async with transactor.transaction() as transaction:
            firsts = await markers.watch(transaction).send(appends)
        try:
            await markers.settle()
        except LogError as error:
            # Nobody reads past a transaction whose marker was lost: the next marker ends it.
            _log.warning("a marker was lost", detail=str(error))
            async with transactor.transaction() as transaction:
                await transaction.touch(appends.keys())
            await markers.settle()
        return firsts

    async def _let_go(self) -> None:
        transactor, self._transactor = self._transactor, None
        if transactor is not None:
            await transactor.close()
