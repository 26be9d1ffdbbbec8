"""Folds the operations of one partition into edges, and publishes what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import structlog

from docreactor.agents.compaction import compact, compact_all, compact_remains
from docreactor.agents.deployment import Deployment
from docreactor.agents.edge_batch import EdgeBatch, concerning
from docreactor.agents.edge_refold import EdgeRefold
from docreactor.agents.edge_restore import EdgeRestore
from docreactor.agents.log import Entry, Isolation, LogRecord, TopicPartition
from docreactor.agents.projection import Stored
from docreactor.agents.publication import Publication
from docreactor.agents.restore import unusable
from docreactor.agents.shelf import RELATIONSHIPS_SCHEMA
from docreactor.agents.stream_labels import StreamLabels
from docreactor.pipeline.errors import FencedError, LogError, RestoringError, StoreFailedError
from docreactor.pipeline.position import Offset
from docreactor.tables.edges import EdgesTable
from docreactor.tables.operations import OperationsTable
from docreactor.tables.store import AnyRow, Store, StoreIdentity

_log = structlog.get_logger(__name__)

_UNRECORDED_MAX = 10_000
"""A position is published after so many operations at the latest: the next owner folds no more."""
_FOLDED_AT_ONCE = 10_000
_ROWS_AT_ONCE = 5_000
_WAITS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 5.0)
_IDLE_MAX_S = 24 * 3600.0
"""A broker forgets a transactional id that is not used for days."""


class RelationshipAgent:
    """One partition's edges: the fold of each document's effective history, on `relationships`.

    The topic leads, the store follows: it is restored to the end of the topic after whoever wrote
    before can write no more. What `row` says is published is never taken back.
    """

    name = "relationships"

    def __init__(
        self, deployment: Deployment, partition: int, *, store: Store, write_store: Store
    ) -> None:
        self._deployment = deployment
        self._operations = deployment.operations(partition)
        self._source = TopicPartition(deployment.topics.relationships, partition)
        self.table = EdgesTable(store)
        self._history = OperationsTable(write_store)
        self._labels = StreamLabels(deployment.log, self._operations, write_store)
        self._publication: Publication | None = None
        self._one_at_a_time = asyncio.Lock()
        self._is_even = False
        self._position = Offset(0)
        self._recorded = Offset(0)
        self._published = Offset(0)
        self._seen = 0
        self._used_s = 0.0

    @property
    def position(self) -> Offset:
        """The next offset of `operations` that the edges lack."""
        return self._position

    async def open(self) -> Offset:
        """Fence whoever wrote before, and bring the rows to the end of the topic."""
        async with self._one_at_a_time:
            return await self._open()

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored
    ) -> None:
        """Publish what the operations make of the edges, then write it with both positions."""
        async with self._one_at_a_time:
            self._check_open()
            if records:
                self._seen = records[-1].offset + 1
            found = concerning(records)
            is_due = next_offset - self._recorded >= _UNRECORDED_MAX
            batch = self._batch()
            if found:
                await batch.take(found, stored)
            entries = await batch.entries(next_offset, is_due=is_due) if found or is_due else []
            await self._commit(batch, entries, next_offset)

    async def close(self) -> None:
        """As `Projection.close`; the store stays open."""
        async with self._one_at_a_time:
            await self._let_go()

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """As `Projection.quarantined`."""
        return self.table.quarantined()

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        """As `Projection.quarantine_of`."""
        return self.table.quarantine_of(document_id)

    def row(self) -> dict[str, Any]:
        """Up to where the topic is to be read to show the edges of where the partition is."""
        return {} if self._publication is None else {"published": self._published}

    async def retry(self, document_id: str, stored: Stored) -> None:
        """Derive a document's edges anew from its operations, whether it was set aside or not.

        Restoring while there is much that was not applied yet.
        """
        await self._derive([document_id], stored)

    async def clear(self, document_id: str) -> None:
        """Take a document back that was set aside, with the edges that it had."""
        async with self._one_at_a_time:
            self._check_open()
            batch = self._batch()
            batch.look_up([document_id.encode()])
            batch.release(document_id)
            await self._commit(batch, await batch.entries(self._position), self._position)

    async def refold(self, progress: Callable[[float], None], *, stored: Stored) -> int:
        """Derive the edges of every document anew, and publish only what differs.

        Batches may be applied meanwhile. Returns how many documents it were. What ends it leaves
        the edges of each document as they were or as they are to be; begun again, it does all.
        """
        refold = EdgeRefold(self._history, self.table)
        return await refold.run(partial(self._derive_at_last, stored=stored), progress)

    async def _derive_at_last(self, document_ids: Sequence[str], *, stored: Stored) -> int:
        """As `_derive`; passing trouble, and whoever opens it anew meanwhile, is waited for."""
        for wait_s in _WAITS_S:
            try:
                return await self._derive(document_ids, stored)
            except FencedError:
                raise
            except (LogError, OSError, RestoringError, StoreFailedError) as error:
                _log.warning("edges are derived later", detail=str(error))
            await asyncio.sleep(wait_s)
        return await self._derive(document_ids, stored)

    async def _derive(self, document_ids: Sequence[str], stored: Stored) -> int:
        """The first of these documents anew, in one transaction; of how many."""
        async with self._one_at_a_time:
            if self._publication is not None and not self._is_even:
                await self._open_again()
            self._check_open()
            await stored(self._seen)
            known = await self._labels.below(document_ids, self._position)
            batch = self._batch()
            batch.look_up([one.encode() for one in document_ids])
            count = weight = 0
            while count < len(document_ids) and weight <= _FOLDED_AT_ONCE:
                labels = known.get(document_ids[count])
                if labels is not None:
                    await batch.derive(document_ids[count], labels)
                    weight += sum(labels.values())
                count += 1
            await self._commit(batch, await batch.entries(self._position), self._position)
            return count

    def _batch(self) -> EdgeBatch:
        metrics, topic = self._deployment.metrics, self._operations.topic
        return EdgeBatch(self.table, self._history, metrics, topic=topic)

    async def _commit(self, batch: EdgeBatch, entries: Sequence[Entry], position: Offset) -> None:
        """The topic first, then the store: what ends between them is mended by opening again."""
        publication = await self._proven() if entries else self._check_open()
        self._is_even = False
        if entries:
            self._published = await publication.publish(entries)
            self._recorded = position
        await self._write(batch.rows(), position)
        self._position = position
        self._is_even = True
        await compact(self.table.store, batch.erased)

    async def _write(self, rows: Iterator[AnyRow], position: Offset) -> None:
        """Both positions with the last of the rows: one write of very many holds up the loop.

        What is written before may be written again: it stands on the topic.
        """
        store, now_ms = self.table.store, self._deployment.clock.now_ms()
        some = list(islice(rows, _ROWS_AT_ONCE))
        while len(some) == _ROWS_AT_ONCE:
            store.write(some, {}, now_ms=now_ms)
            await asyncio.sleep(0)
            some = list(islice(rows, _ROWS_AT_ONCE))
        positions = {self._source.topic: self._published, self._operations.topic: position}
        store.write(some, positions, now_ms=now_ms)

    async def _proven(self) -> Publication:
        """The right to write, taken anew when it was not used for long."""
        now_s = self._deployment.clock.monotonic_s()
        if now_s - self._used_s > _IDLE_MAX_S:
            await self._open_again()
        self._used_s = now_s
        return self._check_open()

    async def _open_again(self) -> None:
        """Go on where it was; whoever feeds it need not know."""
        position = self._position
        if await self._open() != position:
            await self._let_go()
            raise LogError(f"{self._name}: another process went on from {position}: open it again")

    async def _open(self) -> Offset:
        await self._let_go()
        deployment, source = self._deployment, self._source
        transactional_id = f"{deployment.settings.app}-relationships-{source.partition}"
        publication = await Publication.open(deployment.log, source, transactional_id)
        try:
            # Nobody else moves the topic's end any more.
            position = await self._restore()
        except BaseException:
            await publication.close()
            raise
        self._position = self._recorded = position
        self._published = self.table.store.positions()[source.topic]
        self._used_s = deployment.clock.monotonic_s()
        self._publication, self._is_even = publication, True
        return position

    async def _restore(self) -> Offset:
        deployment, store, topic = self._deployment, self.table.store, self._operations.topic
        sources = [self._source, self._operations]
        starts = await deployment.log.start_offsets(sources)
        ends = await deployment.log.end_offsets(sources, Isolation.COMMITTED)
        identity = StoreIdentity(deployment.log_id, RELATIONSHIPS_SCHEMA)
        reason = unusable(
            store,
            identity,
            deployment.settings,
            starts={source.topic: starts[source] for source in sources},
            ends={source.topic: ends[source] for source in sources},
            now_ms=deployment.clock.now_ms(),
        )
        if reason is not None:
            _log.info("rebuilding a table", partition=self._source.partition, reason=reason)
            is_new = store.identity is None
            store.begin(identity)
            if not is_new:
                # Of what it held, some may have been erased since.
                await compact_all(store)
        now_ms = deployment.clock.now_ms
        restore = EdgeRestore(
            deployment.log, self._source, self.table, operations=topic, now_ms=now_ms
        )
        await restore.run(starts[self._source])
        await compact_remains(store)
        position = store.positions().get(topic, Offset(0))
        if position > ends[self._operations]:
            _log.error(
                "edges of operations that the log has lost: rebuild relationships",
                partition=self._source.partition,
            )
            position = ends[self._operations]
            store.write([], {topic: position}, now_ms=now_ms())
        return position

    def _check_open(self) -> Publication:
        if self._publication is None or not self._is_even:
            raise LogError(f"{self._name}: open it again")
        return self._publication

    async def _let_go(self) -> None:
        publication, self._publication = self._publication, None
        if publication is not None:
            await publication.close()

    @property
    def _name(self) -> str:
        return f"{self._source.topic}-{self._source.partition}"
