"""Rows that are only read."""

from __future__ import annotations

from docreactor.agents.frozen_rows import FrozenRows
from docreactor.pipeline.position import Offset
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import StoreIdentity

TOPIC = "test.operations"


async def test_they_stay_as_they_are_at_the_position_that_they_have() -> None:
    store = MemoryStore()
    store.begin(StoreIdentity("e" * 32, 1))
    store.write([(b"r/a", b"1")], {TOPIC: Offset(7)}, now_ms=1)
    rows = FrozenRows("words", TOPIC, store)
    assert await rows.open() == rows.position == 7

    async def stored(_: int) -> None:
        return None

    await rows.apply([], Offset(9), stored=stored)
    await rows.retry("d1", stored)
    await rows.clear("d1")
    await rows.close()
    assert rows.position == 7
    assert store.get(b"r/a") == b"1"
    assert list(rows.quarantined()) == []
    assert (rows.quarantine_of("d1"), rows.row()) == (None, {})
