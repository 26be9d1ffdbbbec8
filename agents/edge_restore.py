"""Brings the edges of one partition to the end of their topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from docreactor.agents.edge_record import quarantined_document, read_position
from docreactor.agents.log import Fetched, Isolation, Log, LogRecord, TopicPartition
from docreactor.agents.restore import restore
from docreactor.pipeline.canonical import decode
from docreactor.pipeline.edge import POSITION_KEY, parse_edge_key
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.position import Offset
from docreactor.tables.edges import EdgesTable
from docreactor.tables.store import AnyRow

_log = structlog.get_logger(__name__)

Pair = tuple[bytes, bytes | None]


class EdgeRestore:
    """Writes what the topic holds, each batch with the positions that it leads to.

    The rows are those of the topic's own position of `operations` once the end is reached.
    """

    def __init__(
        self,
        log: Log,
        source: TopicPartition,
        table: EdgesTable,
        *,
        operations: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._log = log
        self._source = source
        self._table = table
        self._operations = operations
        self._now_ms = now_ms

    async def run(self, start: Offset) -> int:
        """From the store's position, or the start without one, to the end; the records read."""
        source, store = self._source, self._table.store
        end = (await self._log.end_offsets([source], Isolation.COMMITTED))[source]
        at = store.positions().get(source.topic, start)
        if source.topic not in store.positions():
            store.write([], {source.topic: at}, now_ms=self._now_ms())
        count = await restore(self._log, {source: at}, {source: end}, self._take, _silent)
        if count:
            store.flush()
            _log.info("restored edges", partition=source.partition, records=count)
        return count

    async def _take(self, source: TopicPartition, fetched: Fetched) -> None:
        rows, operations = self._rows(fetched.records)
        positions = {source.topic: fetched.next_offset}
        if operations is not None:
            positions[self._operations] = operations
        # What is lost with the process is had again from the topic.
        self._table.store.write(rows, positions, now_ms=self._now_ms(), is_logged=False)

    def _rows(self, records: Sequence[LogRecord]) -> tuple[list[AnyRow], Offset | None]:
        """What records write, and the last position among them."""
        stage, pairs = self._table.stage(), list[Pair]()
        operations: Offset | None = None
        for record in records:
            key = record.key or b""
            aside = quarantined_document(key)
            try:
                if key == POSITION_KEY:
                    operations = read_position(record.value)
                elif aside is None:
                    pairs.append((_checked(key), record.value))
                elif record.value is None:
                    stage.release(aside)
                else:
                    stage.quarantine(aside, decode(record.value))
            except (UndecodableRecordError, ValueError) as error:
                _log.warning(
                    "a record of no edge",
                    partition=self._source.partition,
                    offset=record.offset,
                    detail=str(error),
                )
        return [*self._table.restored(pairs), *stage.rows()], operations


def _checked(key: bytes) -> bytes:
    if erased_document(key) is None:
        parse_edge_key(key)
    return key


def _silent(_: float) -> None:
    """Edges are few beside operations: nobody is told how far they are."""
