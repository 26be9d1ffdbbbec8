"""Taking a partition over: fence, mend, locate, open, restore. The order makes the rest true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from docreactor.agents.attempts import Attempts
from docreactor.agents.board import reducer_key
from docreactor.agents.compaction import compact_all
from docreactor.agents.deployment import Deployment
from docreactor.agents.documents_projection import DocumentsProjection
from docreactor.agents.kept import store_name
from docreactor.agents.log import Fetched, Isolation, TopicPartition
from docreactor.agents.model_row import DOCUMENTS
from docreactor.agents.ownership import Ownership
from docreactor.agents.phase import Phase
from docreactor.agents.refill import Refill
from docreactor.agents.restore import Take, restore, unusable
from docreactor.agents.seed import seed
from docreactor.agents.shelf import DOCUMENTS_SCHEMA, WRITE_SCHEMA, PartitionTables
from docreactor.pipeline.errors import (
    ActionsLostError,
    OffsetsLostError,
    UnknownModelError,
)
from docreactor.pipeline.position import Offset
from docreactor.tables.store import Store, StoreIdentity

_log = structlog.get_logger(__name__)

Enter = Callable[[Phase], None]
Number = Callable[[int], None]
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A partition taken over and restored, ready to run from these offsets."""

    ownership: Ownership
    attempts: Attempts
    tables: PartitionTables
    documents: DocumentsProjection
    generation: int
    committed: Offset


class Arrival:
    """One partition's way from assigned to restored.

    `number` is told its epoch, later than every one before, as soon as the partition is its own.
    """

    def __init__(
        self,
        deployment: Deployment,
        partition: int,
        *,
        enter: Enter,
        number: Number,
        progress: Progress,
    ) -> None:
        self._deployment = deployment
        self._partition = partition
        self._enter = enter
        self._number = number
        self._progress = progress
        topics = deployment.topics
        self._kept = {
            topic: TopicPartition(topic, partition)
            for topic in (topics.operations, topics.keyframes, topics.jobs, topics.deferred)
        }

    async def arrive(self) -> Arrived:
        """Go through the steps. What was taken over is let go when one of them fails."""
        deployment, partition = self._deployment, self._partition
        self._enter(Phase.FENCING)
        ownership = await Ownership.take(
            deployment.log,
            deployment.actions(partition),
            deployment.transactional_id(partition),
            [*self._kept.values(), TopicPartition(deployment.topics.dead_letters, partition)],
        )
        try:
            await deployment.board.catch_up()
            row = deployment.board.row(reducer_key(partition))
            epoch = 1 if row is None else row["epoch"] + 1
            self._number(epoch)
            self._enter(Phase.LOCATING)
            tables = deployment.shelf.take(partition)
            await ownership.mend(self._shown(tables))
            ends = await self._ends()
            committed = await self._committed(tables, ends)
            attempts = await Attempts.begin(
                deployment.board,
                partition,
                node=deployment.node_id,
                epoch=epoch,
                committed=committed,
            )
            self._enter(Phase.OPENING)
            await self._check(tables, ends)
            self._enter(Phase.RESTORING)
            generation = self._generation()
            documents = self._documents(tables, generation)
            await self._restore(tables, documents, ends)
        except BaseException:
            await ownership.close()
            raise
        return Arrived(ownership, attempts, tables, documents, generation, committed)

    def _generation(self) -> int:
        """Of the documents table that is asked here from the first moment on.

        It is of this software's version, if any that is kept is: others may run a newer one.
        """
        coordinator = self._deployment.coordinator
        served = coordinator.served(DOCUMENTS, self._partition)
        row = coordinator.model(DOCUMENTS)
        ours = [one for one in row.kept if row.versions[one] == DOCUMENTS_SCHEMA]
        if served in ours:
            return served
        return row.generation if row.generation in ours or not ours else ours[-1]

    def _shown(self, tables: PartitionTables) -> Mapping[str, Offset]:
        store = tables.write_store
        identity = store.identity
        if identity is None or identity.log_id != self._deployment.log_id:
            return {}
        return store.positions()

    async def _ends(self) -> Mapping[str, Offset]:
        sources = list(self._kept.values())
        ends = await self._deployment.log.end_offsets(sources, Isolation.COMMITTED)
        return {source.topic: offset for source, offset in ends.items()}

    async def _committed(self, tables: PartitionTables, ends: Mapping[str, Offset]) -> Offset:
        deployment = self._deployment
        source = deployment.actions(self._partition)
        committed = await deployment.log.committed(source)
        if committed is None:
            if ends[deployment.topics.operations] == 0:
                committed = Offset(0)
            else:
                identity = tables.write_store.identity
                stored = tables.write_store.positions().get(source.topic)
                if stored is None or identity is None or identity.log_id != deployment.log_id:
                    raise OffsetsLostError(*source)
                committed = stored
        start = (await deployment.log.start_offsets([source]))[source]
        if committed < start:
            raise ActionsLostError(*source, committed=committed, start=start)
        return committed

    async def _check(self, tables: PartitionTables, ends: Mapping[str, Offset]) -> None:
        """Throw away rows that the log does not vouch for; what stays lacks its tail at most."""
        deployment = self._deployment
        starts = await deployment.log.start_offsets(list(self._kept.values()))
        by_topic = {source.topic: offset for source, offset in starts.items()}
        now_ms = deployment.clock.now_ms()
        store = tables.write_store
        identity = StoreIdentity(deployment.log_id, WRITE_SCHEMA)
        reason = unusable(
            store, identity, deployment.settings, starts=by_topic, ends=ends, now_ms=now_ms
        )
        if reason is not None:
            _log.info("rebuilding a table", partition=self._partition, reason=reason)
            is_new = store.identity is None
            store.begin(identity)
            if not is_new:
                # Of what it held, some may have been erased since.
                await compact_all(store)
            # Results of jobs past their retention are gone: the log does not begin at 0.
            store.write([], by_topic, now_ms=now_ms)
            tables.write.cache.clear()

    def _documents(self, tables: PartitionTables, generation: int) -> DocumentsProjection:
        deployment = self._deployment
        store = deployment.shelf.store(self._partition, store_name(DOCUMENTS, generation))
        return DocumentsProjection(deployment, self._partition, store, tables)

    async def _restore(
        self, tables: PartitionTables, documents: DocumentsProjection, ends: Mapping[str, Offset]
    ) -> None:
        deployment = self._deployment
        await documents.open()

        async def show(source: TopicPartition, fetched: Fetched) -> None:
            await documents.apply(fetched.records, fetched.next_offset, stored=None)

        operations = self._kept[deployment.topics.operations]

        whole = {source: ends[topic] for topic, source in self._kept.items()}
        async with Refill(tables, deployment.topics, deployment.clock.now_ms) as refill:
            if await self._read(tables.write_store, whole, refill.take, share=0.0):
                tables.write.cache.clear()
        for accepted in tables.write.operations.lasting.accepted():
            deployment.registry.accepted.update(accepted.streams)
        store = documents.table.store
        if operations.topic not in store.positions():
            await self._seed(tables, documents)
        try:
            shown = {operations: ends[operations.topic]}
            await self._read(store, shown, show, share=0.5)
        except UnknownModelError as error:
            # Its lane meets the rest and waits there: what the table shows may be asked meanwhile.
            _log.warning("not restored to the end", partition=self._partition, lacks=str(error))

    async def _read(
        self, store: Store, ends: Mapping[TopicPartition, Offset], take: Take, *, share: float
    ) -> int:
        deployment = self._deployment
        progress = partial(self._share, share)
        count = await restore(deployment.log, self._at(store), ends, take, progress)
        deployment.metrics.restored.inc(count)
        _log.info("restored", partition=self._partition, records=count, table=_name(share))
        return count

    async def _seed(self, tables: PartitionTables, documents: DocumentsProjection) -> None:
        """An empty table need not be told every operation: the other one holds them."""
        topic = self._deployment.topics.operations
        streams = await seed(
            documents.table,
            tables.write.operations,
            tables.write.cache,
            topic=topic,
            position=tables.write_store.positions().get(topic, Offset(0)),
            now_ms=self._deployment.clock.now_ms,
            metrics=self._deployment.metrics,
            progress=partial(self._share, 0.5),
        )
        _log.info("seeded", partition=self._partition, streams=streams)

    def _share(self, before: float, done: float) -> None:
        self._progress(before + done / 2)

    def _at(self, store: Store) -> Mapping[TopicPartition, Offset]:
        positions = store.positions()
        return {self._kept[topic]: at for topic, at in positions.items() if topic in self._kept}


def _name(share: float) -> str:
    return "documents" if share else "operations"
