"""Opens Kafka producers in bounded time and packs records into their batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from docreactor.agents.log import Entry
from docreactor.agents.log.clients import Batch, Producer, new_producer
from docreactor.agents.log.closing import Closing
from docreactor.agents.log.connection import Connection, connect
from docreactor.pipeline.record import HEADERS
from docreactor.pipeline.settings import Settings

# Uncompressed. A partition has one batch on its way at a time.
_BATCH_BYTES = 1024 * 1024
# What key, headers and frame add to a value, generously.
_OVERHEAD_BYTES = 64 * 1024
_HEADERS = list(HEADERS)
# aiokafka waits so long between the steps of a transaction that the broker puts off.
_RETRY_BACKOFF_MS = 3


@dataclass(frozen=True, slots=True)
class Producers:
    """Where all producers of one process come from."""

    connection: Connection
    settings: Settings
    closing: Closing

    async def open(self, doing: str, **arguments: Any) -> Producer:
        """Connect and get a producer id; with a transactional id this fences its last owner."""
        settings = self.settings
        producer = new_producer(
            **self.connection.arguments,
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=min(_BATCH_BYTES, settings.record_bytes_max),
            max_request_size=settings.record_bytes_max + _OVERHEAD_BYTES,
            compression_type=None if settings.compression == "none" else settings.compression,
            request_timeout_ms=settings.broker_timeout_ms,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
            **arguments,
        )
        self.closing.watch(producer)
        try:
            await connect(producer.start, doing, timeout_s=settings.broker_timeout_ms / 1000)
        except BaseException:
            await self.closing.stop(producer)
            raise
        return producer


def batches(producer: Producer, entries: Iterable[Entry]) -> Iterator[Batch]:
    """Full batches of the producer, in order; a record over a batch's size travels alone."""
    batch = producer.create_batch()
    for key, value, headers in entries:
        # aiokafka takes nothing but a list.
        own = _HEADERS if headers is HEADERS else list(headers)
        if batch.append(timestamp=None, key=key, value=value, headers=own) is None:
            yield batch
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=own)
    if batch.record_count():
        yield batch


def largest_value(entries: Iterable[Entry]) -> int:
    """How long the longest value is: what decides whether a record fits."""
    return max([len(entry.value or b"") for entry in entries], default=0)
