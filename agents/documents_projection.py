"""The documents table of one generation and one partition, fed by a lane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import structlog

from docreactor.agents.compaction import compact_all
from docreactor.agents.deployment import Deployment
from docreactor.agents.log import Isolation, LogRecord
from docreactor.agents.model_row import DOCUMENTS
from docreactor.agents.projection import Stored
from docreactor.agents.restore import unusable
from docreactor.agents.shelf import DOCUMENTS_SCHEMA, PartitionTables
from docreactor.agents.view import ViewAgent
from docreactor.pipeline.position import Offset
from docreactor.tables.documents import DocumentsTable
from docreactor.tables.store import Store, StoreIdentity

_log = structlog.get_logger(__name__)


class DocumentsProjection:
    """What documents show, as far as the store's position says."""

    name = DOCUMENTS

    def __init__(
        self, deployment: Deployment, partition: int, store: Store, tables: PartitionTables
    ) -> None:
        self._deployment = deployment
        self._source = deployment.operations(partition)
        self._store = store
        self._write_store = tables.write_store
        self.table = DocumentsTable(store, deployment.replay)
        self._agent = ViewAgent(
            self.table,
            deployment.replay,
            deployment.settings,
            tables.write,
            topic=self._source.topic,
            metrics=deployment.metrics,
            now_ms=deployment.clock.now_ms,
        )

    @property
    def position(self) -> Offset:
        """The next offset that the rows lack."""
        return self._store.positions().get(self._source.topic, Offset(0))

    async def open(self) -> Offset:
        """Throw away rows that the log does not vouch for; what stays lacks its tail at most."""
        log, source = self._deployment.log, self._source
        starts = await log.start_offsets([source])
        ends = await log.end_offsets([source], Isolation.COMMITTED)
        identity = StoreIdentity(self._deployment.log_id, DOCUMENTS_SCHEMA)
        reason = unusable(
            self._store,
            identity,
            self._deployment.settings,
            starts={source.topic: starts[source]},
            ends={source.topic: ends[source]},
            now_ms=self._deployment.clock.now_ms(),
        )
        if reason is not None:
            _log.info("rebuilding a table", partition=source.partition, reason=reason)
            is_new = self._store.identity is None
            self._store.begin(identity)
            if not is_new:
                # Of what it held, some may have been erased since.
                await compact_all(self._store)
        passed = self.table.passed_rows(self.position)
        if passed:
            # The time of a write says how much of the log the rows have seen: this adds nothing.
            self._store.write(passed, {}, now_ms=self._store.written_ms or 0)
        return self.position

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored | None
    ) -> None:
        """As `Projection.apply`; without `stored` the operation store holds them already."""
        await self._agent.apply(records, next_offset, stored=stored)

    async def retry(self, document_id: str, stored: Stored) -> None:
        """Show a document anew from its operations, whether it was set aside or not."""
        await stored(self.position)
        await self._agent.again(document_id, self._stored)

    def _stored(self) -> Offset:
        return self._write_store.positions().get(self._source.topic, Offset(0))

    async def clear(self, document_id: str) -> None:
        """Take a document back that was set aside, as it was shown last."""
        stage = self.table.stage()
        stage.release(document_id)
        self._store.write(stage.rows(), {}, now_ms=self._deployment.clock.now_ms())

    async def close(self) -> None:
        """Drop the cached states: the next batch reads them from the table."""
        self._agent.forget()

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """As `Projection.quarantined`."""
        return self.table.quarantined()

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        """As `Projection.quarantine_of`."""
        return self.table.quarantine_of(document_id)

    def row(self) -> dict[str, Any]:
        """As `Projection.row`."""
        return {}
