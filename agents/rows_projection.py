"""The rows of one generation of a user's read model in one partition, fed by a lane."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import structlog

from docreactor.agents.author_code import AuthorCode
from docreactor.agents.change_reader import ChangeReader
from docreactor.agents.compaction import compact, compact_all, compact_remains
from docreactor.agents.deployment import Deployment
from docreactor.agents.log import Isolation, LogRecord
from docreactor.agents.projection import Stored
from docreactor.agents.restore import unusable
from docreactor.agents.row_batch import Keeping, RowBatch
from docreactor.agents.shelf import PartitionTables
from docreactor.pipeline.errors import ReactorError, SeveralFailedError
from docreactor.pipeline.position import Offset, Partition
from docreactor.pipeline.problem import problem
from docreactor.pipeline.read_model import ReadModel
from docreactor.tables.rows import RowsTable
from docreactor.tables.store import Store, StoreIdentity

_log = structlog.get_logger(__name__)

WAITS_S = (0.5, 1.0)
"""Between the tries of a document that fails."""


class RowsProjection:
    """What an author's `apply` writes, as far as the store's position says.

    `is_muted` is asked before each batch: true while another generation serves in its place.
    """

    def __init__(
        self,
        model: ReadModel,
        deployment: Deployment,
        partition: int,
        store: Store,
        tables: PartitionTables,
        *,
        is_muted: Callable[[], bool] = lambda: False,
        waits_s: Sequence[float] = WAITS_S,
    ) -> None:
        self._model = model
        self._deployment = deployment
        self._source = deployment.operations(partition)
        self._store = store
        self._is_muted = is_muted
        self._replayed_below = Offset(0)
        self.table = RowsTable(store)
        self._code = AuthorCode(model, deployment.bound)
        self._keeping = Keeping(
            model,
            self.table,
            ChangeReader(
                tables.write_store,
                tables.write,
                deployment.replay,
                deployment.settings,
                topic=self._source.topic,
            ),
            self._code,
            self._source.topic,
            waits_s,
        )

    @property
    def name(self) -> str:
        """The read model's."""
        return self._model.name

    @property
    def position(self) -> Offset:
        """The next offset that the rows lack."""
        return self._store.positions().get(self._source.topic, Offset(0))

    async def open(self) -> Offset:
        """Throw away rows that the log does not vouch for, or of another version of the model."""
        log, source, now_ms = self._deployment.log, self._source, self._deployment.clock.now_ms()
        start = (await log.start_offsets([source]))[source]
        end = (await log.end_offsets([source], Isolation.COMMITTED))[source]
        identity = StoreIdentity(self._deployment.log_id, self._model.version)
        topic, store = source.topic, self._store
        reason = unusable(
            store,
            identity,
            self._deployment.settings,
            starts={topic: start},
            ends={topic: end},
            now_ms=now_ms,
        )
        if reason is not None:
            _log.info("rebuilding rows", model=self.name, partition=source.partition, reason=reason)
            is_new = store.identity is None
            store.begin(identity)
            if not is_new:
                # Of what it held, some may have been erased since.
                await compact_all(store)
            store.write([self.table.new_below_row(end)], {topic: start}, now_ms=now_ms)
        await compact_remains(store)
        self._replayed_below = max(self.table.new_below, self._told())
        return self.position

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored | None
    ) -> None:
        """As `Projection.apply`; without `stored` the operation store holds them already."""
        if records and stored is not None:
            await stored(records[-1].offset + 1)
        batch = self._batch()
        await batch.take(records)
        now_ms = self._deployment.clock.now_ms()
        rows = batch.rows(next_offset)
        self._store.write(rows, {self._source.topic: next_offset}, now_ms=now_ms)
        await self._end(batch)

    async def retry(self, document_id: str, stored: Stored) -> None:
        """Apply a document from its beginning that was set aside, and take it back if that goes.

        Its operations up to now: those that the log still brings are left out then. What the rows
        have seen the operation store holds: `apply` has waited for it.
        """
        aside = self.table.aside(document_id)
        if aside is None or aside.problem is None:
            return
        batch = self._batch()
        await batch.again(document_id)
        self._write(batch)
        await self._end(batch)

    async def clear(self, document_id: str) -> None:
        """Go on with a document that was set aside; what was left out since stays out."""
        aside = self.table.aside(document_id)
        if aside is not None and aside.problem is not None:
            batch = self._batch()
            batch.release(document_id)
            self._write(batch)

    async def close(self) -> None:
        """Drop what is held of states."""
        self._keeping.reader.clear()

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """As `Projection.quarantined`; `skipped` operations of each were left out since."""
        for document_id, aside in self.table.quarantined():
            yield document_id, {**(aside.problem or {}), "skipped": aside.skipped}

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        """As `Projection.quarantine_of`."""
        aside = self.table.aside(document_id)
        return None if aside is None else aside.problem

    def row(self) -> dict[str, Any]:
        """As `Projection.row`."""
        return {}

    def _told(self) -> Offset:
        """How far the deployment knows this model to be: what its last owner applied."""
        coordinator = self._deployment.coordinator
        if self.name not in coordinator.models:
            return Offset(0)
        offsets = coordinator.position(self.name).next_offsets
        return offsets.get(Partition(self._source.partition), Offset(0))

    def _batch(self) -> RowBatch:
        below = sys.maxsize if self._is_muted() else self._replayed_below
        return RowBatch(self._keeping, replayed_below=below)

    def _write(self, batch: RowBatch) -> None:
        # The time of a write says how much of the log the rows have seen: this adds nothing.
        self._store.write(batch.rows(self.position), {}, now_ms=self._store.written_ms or 0)

    async def _end(self, batch: RowBatch) -> None:
        """Count and tell what became of a batch that is written, and do what it asked for."""
        self._keeping.reader.begin()
        metrics = self._deployment.metrics
        metrics.read_model_operations.labels(self.name, "applied").inc(batch.applied)
        metrics.read_model_operations.labels(self.name, "skipped").inc(batch.skipped)
        self._tell(batch.failed)
        await compact(self._store, batch.erased)
        await self._code.act(batch.effects)

    def _tell(self, failed: Sequence[ReactorError]) -> None:
        for error in failed:
            self._deployment.metrics.errors.labels(error.name()).inc()
        if not failed:
            return
        error, facts = failed[0], dict[str, Any]()
        if len(failed) > 1:
            facts = {"causes": [problem(one) for one in failed]}
            error = SeveralFailedError(f"read model {self.name}", facts["causes"])
        _log.warning(
            "documents set aside",
            model=self.name,
            partition=self._source.partition,
            error=error.name(),
            detail=error.message,
            **facts,
        )
