"""Writes what the log holds into a partition's write store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import structlog

from docreactor.agents.log import Fetched, TopicPartition
from docreactor.agents.shelf import PartitionTables
from docreactor.pipeline.accepted import Accepted, accepted_document
from docreactor.pipeline.erased import Erased, erased_document
from docreactor.pipeline.errors import InvalidOperationTimestampError, ReactorError
from docreactor.pipeline.keys import parse_record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.timestamp import parse
from docreactor.pipeline.topics import Topics
from docreactor.tables.keyframes import keyframe_rows
from docreactor.tables.store import AnyRow, Row

_log = structlog.get_logger(__name__)

Pair = tuple[bytes, bytes | None]


class Refill:
    """Turns records into rows while the rows before them are being written, in a thread.

    What is written may be lost with the process, the newest first, until the block has ended.
    """

    def __init__(self, tables: PartitionTables, topics: Topics, now_ms: Callable[[], int]) -> None:
        self._tables = tables
        self._topics = topics
        self._now_ms = now_ms
        self._writing: asyncio.Task[None] | None = None

    async def take(self, source: TopicPartition, fetched: Fetched) -> None:
        """Write what was fetched, with its position, before anything that comes after it."""
        # Heads are moved on from the rows before.
        await self._written()
        rows = self._rows(source, fetched)
        store, position = self._tables.write_store, {source.topic: fetched.next_offset}
        write = asyncio.to_thread(
            store.write, rows, position, now_ms=self._now_ms(), is_logged=False
        )
        self._writing = asyncio.create_task(write)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let no thread write on when the store may be closed; make safe what is complete."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if kind is None:
            await self._written()
            await asyncio.to_thread(self._tables.write_store.flush)

    async def _written(self) -> None:
        if self._writing is not None:
            await asyncio.shield(self._writing)

    def _rows(self, source: TopicPartition, fetched: Fetched) -> Sequence[AnyRow]:
        pairs = [(record.key or b"", record.value) for record in fetched.records]
        if source.topic == self._topics.operations:
            return self._operation_rows(source, pairs)
        if source.topic == self._topics.keyframes:
            return keyframe_rows([Row(*pair) for pair in pairs])
        if source.topic == self._topics.deferred:
            return self._tables.deferred.rows(pairs)
        return [self._tables.jobs.row(*pair) for pair in pairs]

    def _operation_rows(self, source: TopicPartition, pairs: Sequence[Pair]) -> Sequence[AnyRow]:
        """What is no operation is left out: its stream's history has a gap there."""
        table = self._tables.write.operations
        try:
            return table.restore_rows(pairs)
        except (InvalidOperationTimestampError, KeyError, TypeError, ValueError):
            kept = [pair for pair in pairs if _is_operation(*pair)]
            count = len(pairs) - len(kept)
            _log.warning("no operations", partition=source.partition, count=count)
            return table.restore_rows(kept)


def _is_operation(key: bytes, value: bytes | None) -> bool:
    try:
        if erased_document(key) is not None:
            Erased.decode(value or b"")
            return True
        if accepted_document(key) is not None:
            if value is not None:
                Accepted.decode(value)
            return True
        parse_record_key(key)
        if value is not None:
            parse(Operation.decode(value).timestamp)
    except (ReactorError, ValueError):
        return False
    return True
