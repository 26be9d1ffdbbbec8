"""Reads the whole log with a plain consumer and judges it; it uses no code of the product."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

PARTITIONS = 8


@dataclass(slots=True)
class History:
    """Every stored operation in offset order, by stream, and what was wrong with them."""

    streams: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list[dict[str, Any]])
    )
    count: int = 0

    def faults(self, expected: dict[str, list[str]]) -> list[str]:
        """Each missing, doubled, foreign or misplaced operation; `expected` lists action ids."""
        faults: list[str] = []
        for stream, operations in self.streams.items():
            indexes = [operation["index"] for operation in operations]
            if indexes != list(range(len(indexes))):
                faults.append(f"{stream}: indexes {indexes[:20]}")
        for stream, ids in expected.items():
            stored = [operation["action"]["id"] for operation in self.streams.get(stream, [])]
            if stored != ids:
                missing = set(ids) - set(stored)
                doubled = len(stored) - len(set(stored))
                faults.append(f"{stream}: {len(missing)} missing, {doubled} doubled, or reordered")
        return faults


async def read_all(
    bootstrap_servers: str, topic: str, isolation_level: str = "read_committed"
) -> list[Any]:
    """Every record of a topic up to its present end, partition by partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level=isolation_level,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        sources = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        consumer.assign(sources)
        await consumer.seek_to_beginning(*sources)
        ends = await consumer.end_offsets(sources)
        records: list[Any] = []
        while any([await consumer.position(one) < ends[one] for one in sources]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
        return records
    finally:
        await consumer.stop()


async def read_history(bootstrap_servers: str, app: str) -> History:
    """What a read_committed reader of the operations topic finds."""
    history = History()
    for record in await read_all(bootstrap_servers, f"{app}.operations"):
        stream, _, index = record.key.decode().rpartition("/")
        operation = orjson.loads(record.value)
        assert operation["index"] == int(index)
        history.streams[stream].append(operation)
        history.count += 1
    return history


async def aborted_count(bootstrap_servers: str, app: str) -> int:
    """Operations on the log that belong to aborted transactions."""
    topic = f"{app}.operations"
    everything = await read_all(bootstrap_servers, topic, "read_uncommitted")
    return len(everything) - len(await read_all(bootstrap_servers, topic))
