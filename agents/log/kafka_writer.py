"""Appends to a Kafka outside transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.clients import Producer, Written
from docreactor.agents.log.failure import RAISED, in_our_words, is_too_large
from docreactor.agents.log.kafka_producer import Producers, largest_value
from docreactor.pipeline.errors import LogError, RecordRefusedError, TooLargeError
from docreactor.pipeline.position import Offset


class KafkaWriter:
    """A Writer over idempotent aiokafka producers, one after the other.

    Appends at the same time share batches and requests.
    """

    def __init__(self, producer: Producer, producers: Producers) -> None:
        self._producer = producer
        self._producers = producers
        self._replacing = asyncio.Lock()
        self._is_closed = False
        self._record_bytes_max = producers.settings.record_bytes_max
        self._timeout_s = producers.settings.broker_timeout_ms / 1000

    async def append(self, to: TopicPartition, entries: Sequence[Entry]) -> Offset:
        """As `Writer.append`."""
        if (largest := largest_value(entries)) > self._record_bytes_max:
            raise TooLargeError("a record", limit=self._record_bytes_max, actual=largest)
        if self._is_closed:
            raise LogError("this writer was closed: open another")
        producer = self._producer
        try:
            async with asyncio.timeout(self._timeout_s):
                sent = [await _send(producer, to, entry) for entry in entries]
                outcomes = await asyncio.gather(*sent)
        except TimeoutError as error:
            raise in_our_words(error, "appending") from error
        except RAISED as error:
            await self._replace(producer)
            if is_too_large(error):
                raise RecordRefusedError(*to, repr(error)) from error
            raise LogError(f"{to.topic}-{to.partition} took no record: {error!r}") from error
        return Offset(outcomes[0].offset)

    async def close(self) -> None:
        """Idempotent. What was not acknowledged yet may or may not stand."""
        self._is_closed = True
        async with self._replacing:
            await self._producers.closing.stop(self._producer)

    async def _replace(self, producer: Producer) -> None:
        """The broker waits for the sequence numbers of what it refused: this one is done for."""
        async with self._replacing:
            if self._is_closed or self._producer is not producer:
                return
            self._producer = await self._producers.open("opening a writer again")
        await self._producers.closing.stop(producer)


async def open_writer(producers: Producers) -> KafkaWriter:
    """As `Log.writer`."""
    return KafkaWriter(await producers.open("opening a writer"), producers)


async def _send(producer: Producer, to: TopicPartition, entry: Entry) -> Awaitable[Written]:
    return await producer.send(
        to.topic,
        entry.value,
        key=entry.key,
        partition=to.partition,
        headers=list(entry.headers),
    )
