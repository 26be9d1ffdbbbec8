"""Brings a store from its own position to the end of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from docreactor.agents.log import Fetched, Log, TopicPartition
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.tables.store import Store, StoreIdentity

Take = Callable[[TopicPartition, Fetched], Awaitable[None]]
"""Writes what was fetched, with its position."""

FETCH_COUNT = 5_000
FETCH_MS = 200
_HOUR_MS = 3_600_000


def unusable(
    store: Store,
    identity: StoreIdentity,
    settings: Settings,
    *,
    starts: Mapping[str, Offset],
    ends: Mapping[str, Offset],
    now_ms: int,
) -> str | None:
    """Why a store's rows must be thrown away, or None when its tail is all that it lacks."""
    if store.identity is None:
        return "it is new"
    if store.identity != identity:
        return f"it belongs to {store.identity}"
    life_ms = settings.delete_retention_ms
    life_ms -= min(_HOUR_MS, life_ms // 2)
    if store.written_ms is not None and now_ms - store.written_ms > life_ms:
        return "tombstones may be gone since it was last written"
    positions = store.positions()
    if not positions:
        return "it was begun and never filled"
    for topic, end in ends.items():
        position = positions.get(topic, Offset(0))
        if position > end:
            return f"it is ahead of {topic}"
        if position < starts[topic]:
            return f"it is behind the start of {topic}"
    return None


async def restore(
    log: Log,
    positions: Mapping[TopicPartition, Offset],
    ends: Mapping[TopicPartition, Offset],
    take: Take,
    progress: Callable[[float], None],
) -> int:
    """Read from the positions to the ends; the loop gets its turn. Returns the records read."""
    wanted = {
        source: positions.get(source, Offset(0))
        for source, end in ends.items()
        if positions.get(source, Offset(0)) < end
    }
    total = sum(ends[source] - position for source, position in wanted.items())
    count = done = 0
    if wanted:
        reader = await log.reader(dict(wanted))
        try:
            while any(position < ends[source] for source, position in wanted.items()):
                fetched = await reader.fetch(count_max=FETCH_COUNT, timeout_ms=FETCH_MS)
                for source, batch in fetched.items():
                    await take(source, batch)
                    done += batch.next_offset - wanted[source]
                    wanted[source] = batch.next_offset
                    count += len(batch.records)
                    await asyncio.sleep(0)
                progress(min(1.0, done / total))
        finally:
            await reader.close()
    progress(1.0)
    return count
