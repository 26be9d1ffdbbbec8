"""Reads partitions of the log from their starts to their present ends, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from docreactor.agents.log import Fetched, Isolation, Log, LogRecord, TopicPartition
from docreactor.agents.restore import restore
from docreactor.pipeline.position import Offset

Ends = Mapping[TopicPartition, Offset]
Look = Callable[[TopicPartition, Sequence[LogRecord]], None]
Tell = Callable[[float], None]


def partitions_of(topic: str, count: int) -> list[TopicPartition]:
    """All of a topic's."""
    return [TopicPartition(topic, number) for number in range(count)]


async def ends_of(log: Log, sources: Sequence[TopicPartition]) -> Ends:
    """Where committed records end now."""
    return await log.end_offsets(sources, Isolation.COMMITTED)


async def sweep(log: Log, ends: Ends, look: Look, tell: Tell) -> None:
    """Show every committed record below the ends, each partition's in the order of its offsets.

    `tell` hears how much is done, from 0 to 1.
    """
    starts = await log.start_offsets(list(ends))

    async def take(source: TopicPartition, fetched: Fetched) -> None:
        records = fetched.records
        if fetched.next_offset > ends[source]:
            records = [record for record in records if record.offset < ends[source]]
        look(source, records)

    await restore(log, starts, ends, take, tell)
