"""One batch in one transaction, and what becomes visible after it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

from docreactor.agents.compaction import compact
from docreactor.agents.lease import Lease
from docreactor.agents.log import Entry, TopicPartition, Transaction
from docreactor.agents.metrics import Metrics
from docreactor.agents.ownership import Ownership
from docreactor.agents.staging import Staging, result_entries
from docreactor.agents.tail import Tail
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import RecordRefusedError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.topics import Topics
from docreactor.tables.deferred import DeferredTable
from docreactor.tables.jobs import JobsTable
from docreactor.tables.keyframes import keyframe_rows
from docreactor.tables.store import Store

_EXPIRED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Committer:
    """Sends what a batch staged, commits it with the consumed offset, then shows it.

    A crash before the commit leaves nothing; after it, the tables are restored from the log.
    """

    topics: Topics
    partition: int
    log_id: str
    ownership: Ownership
    tail: Tail
    store: Store
    tables: WriteTables
    jobs: JobsTable
    deferred: DeferredTable
    lease: Lease
    metrics: Metrics
    now_ms: Callable[[], int]
    jobs_retention_ms: int

    def _on(self, topic: str) -> TopicPartition:
        return TopicPartition(topic, self.partition)

    async def commit(self, staging: Staging, consumed: Offset) -> Offset:
        """All or nothing; returns the next offset of `operations`.

        RecordRefused and LogError as `Ownership` raises them: nothing was written to the tables.
        """
        topics = self.topics
        since = perf_counter()
        reached = self.store.positions().get(topics.operations, Offset(0))
        appends: dict[TopicPartition, list[Entry]] = {}
        firsts: Mapping[TopicPartition, Offset] = {}
        if staging.operations:
            appends[self._on(topics.operations)] = staging.operations
        if staging.keyframes.rows:
            appends[self._on(topics.keyframes)] = [Entry(*row) for row in staging.keyframes.rows]
        deferred = _deferred_entries(staging)
        if deferred:
            appends[self._on(topics.deferred)] = deferred
        if staging.dead_letters:
            appends[self._on(topics.dead_letters)] = staging.dead_letters
        async with self._transaction(consumed) as transaction:
            first = await self.tail.next_offset() if staging.operations else reached
            results = result_entries(
                staging.ended,
                log_id=self.log_id,
                partition=self.partition,
                first_offset=first,
                reached=reached,
                retry_count=staging.retry_count,
            )
            results += staging.forgotten_jobs
            if results:
                appends[self._on(topics.jobs)] = results
            if appends:
                firsts = await transaction.send(appends)
            if staging.operations:
                self.tail.check(firsts[self._on(topics.operations)])
        self.metrics.transaction_s.observe(perf_counter() - since)
        positions = {topics.actions: consumed}
        for source, offset in firsts.items():
            if offset >= 0 and source.topic != topics.dead_letters:
                positions[source.topic] = Offset(offset + len(appends[source]))
        if staging.operations:
            self.tail.committed(positions[topics.operations])
        self._show(staging, results, deferred, positions)
        await compact(self.store, staging.erased)
        return positions.get(topics.operations, reached)

    @asynccontextmanager
    async def _transaction(self, consumed: Offset) -> AsyncGenerator[Transaction]:
        try:
            async with self.ownership.transaction(consumed, self.lease) as transaction:
                yield transaction
        except RecordRefusedError:
            self.tail.forget()
            raise

    async def renew(self, consumed: Offset) -> None:
        """Prove ownership when there is nothing to commit, and forget jobs past their retention."""
        async with self.ownership.transaction(consumed, self.lease):
            pass
        now_ms = self.now_ms()
        expired = self.jobs.expired_rows(now_ms, self.jobs_retention_ms, _EXPIRED_AT_ONCE)
        if expired:
            self.store.write(expired, {}, now_ms=now_ms)

    def _show(
        self,
        staging: Staging,
        results: list[Entry],
        deferred: list[Entry],
        positions: dict[str, Offset],
    ) -> None:
        operations, cache = self.tables.operations, self.tables.cache
        rows = staging.rows
        for stage in staging.streams.values():
            if stage.is_moved and stage.state is not None:
                rows.append(operations.head_row(stage.stream, stage.head))
                cache.put(stage.stream, stage.state, stage.head)
        rows += keyframe_rows(staging.keyframes.rows)
        rows += [self.jobs.row(entry.key or b"", entry.value) for entry in results]
        if deferred:
            rows += self.deferred.rows([(entry.key or b"", entry.value) for entry in deferred])
        for document_id in staging.erased:
            cache.invalidate(document_id)
        self.store.write(rows, positions, now_ms=self.now_ms())
        self._count(staging)

    def _count(self, staging: Staging) -> None:
        failed = 0
        for ended in staging.ended:
            if ended.error is not None:
                failed += 1
                self.metrics.errors.labels(ended.error.name()).inc()
        self.metrics.operations.inc(len(staging.operations))
        self.metrics.jobs.labels("WRITE_READY").inc(len(staging.ended) - failed)
        self.metrics.jobs.labels("FAILED").inc(failed)
        for entry in staging.dead_letters:
            self.metrics.dead_letters.labels(dict(entry.headers)["cause"].decode()).inc()


def _deferred_entries(staging: Staging) -> list[Entry]:
    return [
        Entry(key, None if deferred is None else encode(deferred.json))
        for key, deferred in staging.deferred.items()
    ]
