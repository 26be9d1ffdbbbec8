"""Fills an empty documents table from the operation store and its keyframes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from docreactor.agents.metrics import Metrics
from docreactor.agents.seed import seed
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.tables.cache import WriteCache
from docreactor.tables.documents import DocumentsTable
from docreactor.tables.keyframes import Keyframes, StoreKeyValueStore, keyframe_rows
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import Row
from tests.tables.written import Written, home

TOPIC = "operations"
AT = Offset(77)


class Filled:
    """A history, and a documents table that nothing was written to."""

    def __init__(self) -> None:
        self.written = Written()
        self.settings = Settings()
        self.table = DocumentsTable(MemoryStore(), self.written.replay)
        self.metrics = Metrics()
        self.told: list[float] = []

    async def seed(self, progress: Callable[[float], None] | None = None) -> int:
        written = self.written
        keyframes = Keyframes(StoreKeyValueStore(written.store), self.settings)
        cache = WriteCache(
            written.replay,
            written.operations,
            keyframes,
            streams_max=10,
            ring_states=3,
            bytes_max=1 << 20,
        )
        return await seed(
            self.table,
            written.operations,
            cache,
            topic=TOPIC,
            position=AT,
            now_ms=lambda: 1,
            metrics=self.metrics,
            progress=progress or self.told.append,
        )

    def rows(self) -> list[tuple[bytes, bytes]]:
        """Everything that the table holds."""
        return list(self.table.store.scan(b"", b"\xff"))


def _followed(written: Written) -> list[tuple[bytes, bytes]]:
    """What the table holds after every operation was applied to it one by one."""
    table = DocumentsTable(MemoryStore(), written.replay)
    for key, content in written.records:
        document_id, scope, branch, index = key.decode().split("/")
        stream = Stream(document_id, scope, branch)
        operation = Operation.decode(content)
        stage = table.stage()
        state = written.states[stream][int(index)]
        stage.add(stream, state, operation.timestamp, operation.document_type)
        table.store.write(stage.rows(), {}, now_ms=1)
    return list(table.store.scan(b"", b"\xff"))


def _history(documents: int) -> Filled:
    filled = Filled()
    written = filled.written
    for number in range(documents):
        written.create(f"d{number}", slug=f"slug-{number}")
        written.add(Stream(f"d{number}", "global", "main"), 1 + number % 5)
        written.add(Stream(f"d{number}", "local", "main"), 1)
    written.create("d0", "draft")
    written.delete("d1")
    return filled


async def test_it_holds_what_following_every_operation_gives() -> None:
    filled = _history(450)
    assert await filled.seed() == filled.written.operations.stream_count()
    assert filled.rows() == _followed(filled.written)
    assert filled.table.store.positions() == {TOPIC: AT}


async def test_a_store_without_operations_gives_a_position_and_no_rows() -> None:
    filled = Filled()
    assert await filled.seed() == 0
    assert filled.rows() == []
    assert filled.table.store.positions() == {TOPIC: AT}


async def test_progress_ends_at_one() -> None:
    filled = _history(300)
    await filled.seed()
    assert filled.told == sorted(filled.told)
    assert filled.told[-1] == 1.0
    assert len(filled.told) > 2


async def test_ended_early_it_leaves_no_position() -> None:
    filled = _history(300)

    def stop(_done: float) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await filled.seed(stop)
    assert filled.rows()
    assert filled.table.store.positions() == {}


async def test_a_keyframe_saves_what_lies_before_it() -> None:
    filled = _history(3)
    stream = Stream("d2", "global", "main")
    filled.written.add(stream, 30)
    content = filled.written.keyframe(stream, 25)
    key = f"{stream.prefix}{25:010d}".encode()
    filled.written.write(keyframe_rows([Row(key, content)]))
    # Nothing before the keyframe is looked at: an operation there may be gone.
    filled.written.write([Row(f"o/{stream.prefix}{3:010d}".encode(), None)])
    await filled.seed()
    assert filled.rows() == _followed(filled.written)


async def test_a_history_that_cannot_be_reduced_sets_its_document_aside_alone() -> None:
    filled = _history(3)
    broken = Stream("d2", "global", "main")
    filled.written.write([Row(f"o/{broken.prefix}{0:010d}".encode(), None)])
    await filled.seed()
    assert [document_id for document_id, _ in filled.table.quarantined()] == ["d2"]
    assert filled.table.row(home("d0")) is not None
    assert filled.table.store.positions() == {TOPIC: AT}
