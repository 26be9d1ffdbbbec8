"""What every node tells of its partitions: published on `positions`, read by all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import structlog

from docreactor.agents.log import Entry, Log, TopicPartition, Writer
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.topics import Topics

_log = structlog.get_logger(__name__)

Watcher = Callable[[str, Mapping[str, Any]], None]
"""Told a key and its newest row."""

Make = Callable[[], Mapping[str, Any] | None]
"""Makes a row, or None where there is nothing to tell any more."""

LOG_ID_KEY = b"log-id"
_PUBLISH_EVERY_S = 0.02
_RETRY_S = 0.5
_FETCH_MS = 500
_FETCH_COUNT = 10_000


def reducer_key(partition: int) -> str:
    """Key of what the owner of a partition tells of its reducer."""
    return f"reducer/{partition}"


def attempts_key(partition: int) -> str:
    """Key of what the owner of a partition tells the next one of its first batch."""
    return f"attempts/{partition}"


class Board:
    """Rows by key, the newest of each. Rows of an older epoch than the known one are ignored."""

    def __init__(self, log: Log, topics: Topics) -> None:
        self._log = log
        self._source = TopicPartition(topics.positions, 0)
        self._rows: dict[str, Mapping[str, Any]] = {}
        self._dirty: dict[str, Mapping[str, Any] | None] = {}
        self._passed: dict[str, tuple[int, Mapping[str, Any] | None]] = {}
        self._wake = asyncio.Event()
        self._next_offset = 0
        self._moved = asyncio.Condition()
        self._opening = asyncio.Lock()
        self._writer: Writer | None = None
        self._marked: dict[str, Make] = {}
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Call it with each row that is known, and with every one that is read or told here."""
        self._watchers.append(watcher)
        for key, row in self._rows.items():
            watcher(key, row)

    def unwatch(self, watcher: Watcher) -> None:
        """Call it no more."""
        self._watchers.remove(watcher)

    def row(self, key: str) -> Mapping[str, Any] | None:
        """The newest row that was read or published here."""
        self._make()
        return self._rows.get(key)

    def rows(self, prefix: str) -> list[Mapping[str, Any]]:
        """Every row whose key begins so."""
        self._make()
        return [row for key, row in sorted(self._rows.items()) if key.startswith(prefix)]

    def tell(self, key: str, row: Mapping[str, Any]) -> None:
        """Publish within 20 ms; of several rows of one key only the newest is written."""
        if not self._is_newer(key, row):
            return
        self._marked.pop(key, None)
        self._take(key, row)
        self._dirty[key] = row
        self._wake.set()

    def mark(self, key: str, make: Make) -> None:
        """Publish within 20 ms what `make` tells when it is asked: once, however often marked."""
        self._marked[key] = make
        self._wake.set()

    def _make(self) -> None:
        """Tell what was marked."""
        if self._marked:
            marked, self._marked = self._marked, {}
            for key, make in marked.items():
                row = make()
                if row is not None:
                    self.tell(key, row)

    def forget(self, key: str) -> None:
        """Leave nothing under the key, for all who read."""
        self._rows.pop(key, None)
        self._marked.pop(key, None)
        self._dirty[key] = None
        self._wake.set()

    async def publish(self, key: str, row: Mapping[str, Any]) -> None:
        """Publish now; returns when it is acknowledged."""
        self._take(key, row)
        self._dirty.pop(key, None)
        await self._append({key: row})

    async def catch_up(self) -> None:
        """Wait until everything that was written before this call has been read."""
        ends = await self._log.end_offsets([self._source])
        async with self._moved:
            await self._moved.wait_for(lambda: self._next_offset >= ends[self._source])

    async def follow(self) -> None:
        """Read the topic from its start, for ever."""
        reader = await self._log.reader({self._source: Offset(0)})
        try:
            while True:
                fetched = await reader.fetch(count_max=_FETCH_COUNT, timeout_ms=_FETCH_MS)
                for batch in fetched.values():
                    for record in batch.records:
                        self._read(record.offset, record.key, record.value)
                    async with self._moved:
                        self._next_offset = batch.next_offset
                        self._moved.notify_all()
        finally:
            await reader.close()

    async def write(self) -> None:
        """Write what was told, at most every 20 ms, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._make()
            told = dict(self._dirty)
            # What was passed over so far, what is written now comes after.
            self._passed.clear()
            try:
                if told:
                    self._wrote(told, await self._append(told))
            except LogError:
                self._wake.set()
                await asyncio.sleep(_RETRY_S)
            await asyncio.sleep(_PUBLISH_EVERY_S)

    async def close(self) -> None:
        """Write what is still untold, if the log takes it, and let go of the writer."""
        self._make()
        try:
            if self._dirty:
                await self._append(self._dirty)
        except LogError as error:
            _log.warning("the last rows could not be written", detail=str(error))
        finally:
            if self._writer is not None:
                await self._writer.close()

    def _wrote(self, told: Mapping[str, Mapping[str, Any] | None], first: int) -> None:
        """What others wrote behind it is newer, although it was read before this was known."""
        for at, (key, row) in enumerate(told.items()):
            if key not in self._dirty or self._dirty[key] is not row:
                continue
            del self._dirty[key]
            offset, newer = self._passed.get(key, (-1, None))
            if offset > first + at:
                self._learn(key, newer)

    async def _append(self, rows: Mapping[str, Mapping[str, Any] | None]) -> Offset:
        async with self._opening:
            if self._writer is None:
                self._writer = await self._log.writer()
        entries = [
            Entry(key.encode(), None if row is None else encode(row)) for key, row in rows.items()
        ]
        return await self._writer.append(self._source, entries)

    def _read(self, offset: int, key: bytes | None, value: bytes | None) -> None:
        if key is None or key == LOG_ID_KEY:
            return
        name, row = key.decode(), None if value is None else orjson.loads(value)
        told = self._dirty.get(name)
        if name in self._dirty and (row is None or told is None or told["epoch"] >= row["epoch"]):
            # What this process has told since is newer, if it is not on the log already.
            self._passed[name] = offset, row
            return
        self._learn(name, row)

    def _learn(self, name: str, row: Mapping[str, Any] | None) -> None:
        if row is None:
            self._rows.pop(name, None)
        elif self._is_newer(name, row):
            self._take(name, row)

    def _take(self, key: str, row: Mapping[str, Any]) -> None:
        self._rows[key] = row
        for watcher in self._watchers:
            watcher(key, row)

    def _is_newer(self, key: str, row: Mapping[str, Any]) -> bool:
        known = self._rows.get(key)
        return known is None or row["epoch"] >= known["epoch"]
