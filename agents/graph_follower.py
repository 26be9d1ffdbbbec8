"""Keeps one node's graph of all documents, from every partition of `relationships`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import structlog

from docreactor.agents.board import Board
from docreactor.agents.compaction import compact_all, compact_remains
from docreactor.agents.edge_record import quarantined_document, read_change, read_position
from docreactor.agents.log import Fetched, Isolation, Log, LogRecord, TopicPartition
from docreactor.agents.restore import FETCH_COUNT, unusable
from docreactor.pipeline.edge import POSITION_KEY, Change
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import (
    LogError,
    NotYetVisibleError,
    RestoringError,
    StoreFailedError,
    UndecodableRecordError,
)
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics
from docreactor.tables.graph import GraphTable
from docreactor.tables.store import StoreIdentity
from docreactor.tables.wait import Reached

_log = structlog.get_logger(__name__)

GRAPH_SCHEMA = 1
VIEW_PREFIX = "view/relationships/"
WatchChanges = Callable[[int, Sequence[Change]], None]
"""Told a partition, and what became of edges of its documents, after the graph shows it."""

_FETCH_MS = 1_000
_STRETCH_S = 0.01
_SLICE = 250
_HOUR_MS = 3_600_000
_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 5.0
_PLACE = (LogError, OSError, StoreFailedError)


class GraphFollower:
    """Follows the topic by one reader, and says up to where operations are shown.

    That never goes back. Once it `is_ready` it lacks what was published last at most.
    """

    def __init__(
        self,
        log: Log,
        topics: Topics,
        table: GraphTable,
        board: Board,
        settings: Settings,
        *,
        log_id: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._log = log
        self.table = table
        self._board = board
        self._settings = settings
        self._log_id = log_id
        self._now_ms = now_ms
        self._sources = [
            TopicPartition(topics.relationships, number) for number in range(settings.partitions)
        ]
        self._at: dict[int, Offset] = {}
        self._told: dict[int, tuple[Offset, Offset]] = {}
        self._reached = [Reached() for _ in self._sources]
        self._watchers: list[WatchChanges] = []
        self._erased = asyncio.Event()
        self._tidying = asyncio.Lock()
        self._backoff_s = _BACKOFF_FIRST_S
        self.is_ready = False
        """Whether the graph has once been at the end of every partition."""
        self.progress = 0.0
        """How much of what it lacked has been read, 0 to 1."""
        self.error: Exception | None = None
        """What keeps it from going on."""

    def reached(self, partition: int) -> Reached:
        """The next offset of a partition of `operations` that the graph does not show."""
        return self._reached[partition]

    def position(self) -> Position:
        """The operations of which the graph shows the edges."""
        offsets = {number: one.next_offset for number, one in enumerate(self._reached)}
        return Position(
            self._log_id,
            {Partition(number): Offset(offset) for number, offset in offsets.items() if offset},
        )

    async def wait(self, wanted: Position, timeout_s: float) -> None:
        """Return when the graph shows a position: NotYetVisible, or Restoring before `is_ready`."""
        if not self.is_ready:
            raise RestoringError(None, state="restoring edges", progress=self.progress)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        try:
            for part, offset in wanted.next_offsets.items():
                if part < len(self._reached):
                    await self._reached[part].wait(offset, max(0.0, ends_at - loop.time()))
                elif offset:
                    raise TimeoutError
        except TimeoutError:
            raise NotYetVisibleError(wanted=wanted.token, reached=self.position().token) from None

    def watch_changes(self, watcher: WatchChanges) -> None:
        """Call it with whatever changes from now on; nothing is told of what is restored."""
        self._watchers.append(watcher)

    def unwatch_changes(self, watcher: WatchChanges) -> None:
        """Call it no more."""
        self._watchers.remove(watcher)

    async def run(self) -> None:
        """For ever. A failure of the place is told as `error`, waited out, and tried again."""
        self._board.watch(self._hear)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._for_ever(self._follow))
                tasks.create_task(self._for_ever(self._tidy))
        finally:
            self._board.unwatch(self._hear)

    async def _for_ever(self, work: Callable[[], Any]) -> None:
        backoff_s = _BACKOFF_FIRST_S
        while True:
            since = perf_counter()
            try:
                await work()
            except _PLACE as error:
                self.error = error
                _log.warning("the graph waits", detail=str(error))
            if perf_counter() - since > _BACKOFF_MAX_S:
                backoff_s = _BACKOFF_FIRST_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(_BACKOFF_MAX_S, 2 * backoff_s)

    async def _follow(self) -> None:
        """From the table's positions on, until the place fails."""
        wanted = await self._check()
        total = sum(wanted[source] - self._at[source.partition] for source in self._sources)
        reader = await self._log.reader(
            {source: self._at[source.partition] for source in self._sources}
        )
        try:
            while True:
                lacking = sum(
                    max(0, wanted[source] - self._at[source.partition]) for source in self._sources
                )
                self.progress = 1.0 - lacking / max(1, total)
                if not lacking:
                    await self._be_ready()
                fetched = await reader.fetch(count_max=FETCH_COUNT, timeout_ms=_FETCH_MS)
                for source, batch in fetched.items():
                    await self._take(source.partition, batch)
                self._be_seen()
        finally:
            await reader.close()

    async def _be_ready(self) -> None:
        self.error = None
        if not self.is_ready:
            flushing = asyncio.create_task(asyncio.to_thread(self.table.store.flush))
            try:
                await asyncio.shield(flushing)
            finally:
                # Nobody may close the store before the thread has ended.
                await asyncio.wait([flushing])
            self.is_ready = True
            _log.info("the graph is ready")

    def _be_seen(self) -> None:
        """Let the store's time say how much of the log it has seen, although nothing came."""
        store, now_ms = self.table.store, self._now_ms()
        if self.is_ready and now_ms - (store.written_ms or 0) > _HOUR_MS:
            store.write([], {}, now_ms=now_ms)

    async def _check(self) -> Mapping[TopicPartition, Offset]:
        """Throw away rows that the log does not vouch for; returns where the topic ends."""
        starts = await self._log.start_offsets(self._sources)
        ends = await self._log.end_offsets(self._sources, Isolation.COMMITTED)
        names = {source: f"{source.topic}-{source.partition}" for source in self._sources}
        store, identity = self.table.store, StoreIdentity(self._log_id, GRAPH_SCHEMA)
        reason = unusable(
            store,
            identity,
            self._settings,
            starts={name: starts[source] for source, name in names.items()},
            ends={name: ends[source] for source, name in names.items()},
            now_ms=self._now_ms(),
        )
        if reason is not None:
            _log.info("rebuilding the graph", reason=reason)
            self.is_ready = False
            is_new = store.identity is None
            async with self._tidying:
                store.begin(identity)
                if not is_new:
                    # Of what it held, some may have been erased since.
                    await compact_all(store)
            begun = {name: starts[source] for source, name in names.items()}
            store.write([], begun, now_ms=self._now_ms())
        positions = store.positions()
        self._erased.set()
        for source, name in names.items():
            self._move(source.partition, positions.get(name, Offset(0)))
        return ends

    async def _take(self, partition: int, fetched: Fetched) -> None:
        """Write records with the position after them, so many at a time as the loop allows."""
        records, since = fetched.records, perf_counter()
        for start in range(0, len(records) or 1, _SLICE):
            some = records[start : start + _SLICE]
            is_last = start + _SLICE >= len(records)
            at = fetched.next_offset if is_last else Offset(some[-1].offset + 1)
            self._write(partition, some, at)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()

    def _write(self, partition: int, records: Sequence[LogRecord], at: Offset) -> None:
        source, store = self._sources[partition], self.table.store
        pairs = [
            (key, record.value)
            for record in records
            if quarantined_document(key := record.key or b"") is None
        ]
        rows = self.table.rows_for(partition, pairs, refused=self._refuse)
        position = {f"{source.topic}-{partition}": at}
        # What is restored can be had again.
        store.write(rows, position, now_ms=self._now_ms(), is_logged=self.is_ready)
        for record in records:
            if record.key == POSITION_KEY:
                self._show(partition, record)
            elif erased_document(record.key or b"") is not None:
                self._erased.set()
        self._move(partition, at)
        if self._watchers and self.is_ready:
            self._tell(partition, records)

    def _show(self, partition: int, record: LogRecord) -> None:
        try:
            self._reached[partition].advance(read_position(record.value))
        except UndecodableRecordError as error:
            self._refuse(POSITION_KEY, error)

    def _move(self, partition: int, at: Offset) -> None:
        self._at[partition] = at
        self._settle(partition)

    def show(self, partition: int, published: Offset, next_offset: Offset) -> None:
        """Know at once what the board is going to tell of a partition."""
        self._told[partition] = published, next_offset
        self._settle(partition)

    def _hear(self, key: str, row: Mapping[str, Any]) -> None:
        """What the owner of a partition has published, and up to which operation that is all."""
        if not key.startswith(VIEW_PREFIX):
            return
        published, next_offset = row.get("published"), row.get("next_offset")
        partition: int = row["partition"]
        if published is not None and next_offset is not None and partition < len(self._sources):
            self.show(partition, published, next_offset)

    def _settle(self, partition: int) -> None:
        told = self._told.get(partition)
        if told is not None and self._at.get(partition, -1) >= told[0]:
            self._reached[partition].advance(told[1])

    def _tell(self, partition: int, records: Sequence[LogRecord]) -> None:
        changes: list[Change] = []
        for record in records:
            try:
                changes.append(read_change(record))
            except UndecodableRecordError:
                # Of no edge: that, `rows_for` has told.
                continue
        if changes:
            for watcher in list(self._watchers):
                watcher(partition, changes)

    def _refuse(self, key: bytes, error: UndecodableRecordError) -> None:
        _log.warning("a record of no edge", key=repr(key), detail=str(error))

    async def _tidy(self) -> None:
        """Take what was erased out of the table's files."""
        await self._erased.wait()
        self._erased.clear()
        async with self._tidying:
            await compact_remains(self.table.store)
