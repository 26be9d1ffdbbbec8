"""Writes what the log holds into a partition's write store."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.agents.log import Entry, Fetched, TopicPartition
from docreactor.agents.refill import Refill
from docreactor.agents.shelf import PartitionTables, Shelf
from docreactor.pipeline.errors import StoreFailedError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.position import Offset
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics
from tests.support.nodes import KeptStore
from tests.tables.written import Written

TOPICS = Topics("test")
OPERATIONS = TopicPartition(TOPICS.operations, 0)
STREAM = Stream("d", "global", "main")


class Read:
    """A record as a log hands it out."""

    def __init__(self, offset: int, entry: Entry) -> None:
        self.offset = offset
        self.key = entry.key
        self.value = entry.value
        self.headers = entry.headers
        self.timestamp = 0


def _fetched(written: Written, first: int, last: int) -> Fetched:
    records = [
        Read(first + at, Entry(key, content))
        for at, (key, content) in enumerate(written.records[first:last])
    ]
    return Fetched(records, Offset(last))


def _history() -> Written:
    written = Written()
    written.create("d")
    written.add(STREAM, 20)
    return written


def _tables(store: KeptStore) -> PartitionTables:
    shelf = Shelf(
        lambda name: store if name.endswith("write") else KeptStore(),
        Replay(Registry([])),
        Settings(),
    )
    return shelf.take(0)


def _refill(tables: PartitionTables) -> Refill:
    return Refill(tables, TOPICS, lambda: 1)


async def test_heads_move_on_from_one_fetch_to_the_next() -> None:
    written, tables = _history(), _tables(KeptStore())
    async with _refill(tables) as refill:
        for first in range(0, len(written.records), 5):
            last = min(first + 5, len(written.records))
            await refill.take(OPERATIONS, _fetched(written, first, last))
    head, wanted = tables.write.operations.head(STREAM), written.operations.head(STREAM)
    assert head == wanted
    assert tables.write_store.positions() == {TOPICS.operations: len(written.records)}


async def test_what_is_no_operation_is_left_out() -> None:
    written, tables = _history(), _tables(KeptStore())
    written.records.append((b"no key", b"no operation"))
    async with _refill(tables) as refill:
        await refill.take(OPERATIONS, _fetched(written, 0, len(written.records)))
    assert tables.write.operations.head(STREAM) == written.operations.head(STREAM)
    assert tables.write_store.positions() == {TOPICS.operations: len(written.records)}


class Full(KeptStore):
    """A disk without space."""

    def write(self, *_rows: object, **_options: object) -> None:
        raise StoreFailedError("no space left")


async def test_a_write_that_fails_is_told_by_the_end_of_the_block() -> None:
    written = _history()
    with pytest.raises(StoreFailedError, match="no space"):
        async with _refill(_tables(Full())) as refill:
            await refill.take(OPERATIONS, _fetched(written, 0, 5))


async def test_no_write_goes_on_after_a_cancelled_block() -> None:
    written, tables = _history(), _tables(KeptStore())
    with pytest.raises(asyncio.CancelledError):
        async with _refill(tables) as refill:
            await refill.take(OPERATIONS, _fetched(written, 0, 5))
            raise asyncio.CancelledError
    assert tables.write_store.positions() == {TOPICS.operations: 5}
