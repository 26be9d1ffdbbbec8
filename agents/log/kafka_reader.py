"""Reads partitions of a Kafka that it was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docreactor.agents.log import Fetched, Isolation, TopicPartition
from docreactor.agents.log.clients import Consumer, KafkaPartition, new_consumer
from docreactor.agents.log.closing import Closing
from docreactor.agents.log.connection import Connection, connect
from docreactor.agents.log.kafka_feed import Feed
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings

# A broker answers with at least one whole batch, however large: this is no bound on records.
# Compressed; a partition's share of memory is some ten times as much.
_FETCH_BYTES = 256 * 1024


def consumer_arguments(
    connection: Connection, settings: Settings, isolation: Isolation
) -> dict[str, Any]:
    """What every consumer of ours is made with."""
    return {
        **connection.arguments,
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        "isolation_level": isolation.value,
        "fetch_max_wait_ms": settings.fetch_max_wait_ms,
        "max_partition_fetch_bytes": _FETCH_BYTES,
        "request_timeout_ms": settings.broker_timeout_ms,
        "retry_backoff_ms": 20,
    }


async def start_consumer(
    consumer: Consumer, closing: Closing, *, timeout_s: float, doing: str
) -> None:
    """Connect in bounded time; a consumer that could not is stopped."""
    closing.watch(consumer)
    try:
        await connect(consumer.start, doing, timeout_s=timeout_s)
    except BaseException:
        await closing.stop(consumer)
        raise


class KafkaReader:
    """A Reader over an aiokafka consumer without a group."""

    def __init__(self, consumer: Consumer, feed: Feed, closing: Closing) -> None:
        self._consumer = consumer
        self._feed = feed
        self._closing = closing

    async def fetch(self, *, count_max: int, timeout_ms: int) -> Mapping[TopicPartition, Fetched]:
        """As `Reader.fetch`; OffsetOutOfRange where the log no longer holds the position."""
        return await self._feed.fetch(count_max=count_max, timeout_ms=timeout_ms)

    def seek(self, source: TopicPartition, offset: Offset) -> None:
        """As `Reader.seek`."""
        self._feed.seek(source, offset)

    async def close(self) -> None:
        """Idempotent."""
        await self._closing.stop(self._consumer)


async def open_reader(
    connection: Connection,
    settings: Settings,
    closing: Closing,
    sources: Mapping[TopicPartition, Offset],
    isolation: Isolation,
) -> KafkaReader:
    """Connect and begin to fetch."""
    doing = "reading"
    consumer = new_consumer(**consumer_arguments(connection, settings, isolation))
    timeout_s = settings.broker_timeout_ms / 1000
    await start_consumer(consumer, closing, timeout_s=timeout_s, doing=doing)
    consumer.assign([KafkaPartition(*source) for source in sources])
    feed = Feed(consumer, doing)
    feed.begin(sources, paused=False)
    return KafkaReader(consumer, feed, closing)
