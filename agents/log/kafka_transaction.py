"""One open transaction on a Kafka: what is sent, and whether all of it was accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import NamedTuple

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.clients import KafkaPartition, Producer, Written
from docreactor.agents.log.failure import RAISED, in_our_words, is_refusal
from docreactor.agents.log.kafka_producer import batches, largest_value
from docreactor.pipeline.errors import LogError, RecordRefusedError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings

_UNKNOWN = Offset(-1)


class _Sent(NamedTuple):
    """One batch on its way."""

    to: TopicPartition
    record_count: int
    acknowledged: Awaitable[Written]


class KafkaTransaction:
    """A Transaction. `failure` says why it cannot be committed, once that is so.

    `is_abortable` is false when the producer is stuck: the transaction's next owner ends it.
    """

    def __init__(self, producer: Producer, settings: Settings, group: str) -> None:
        self._producer = producer
        self._group = group
        self._record_bytes_max = settings.record_bytes_max
        self._timeout_s = settings.transaction_timeout_ms / 1000
        self.failure: LogError | None = None
        self.is_abortable = True

    async def send(
        self, appends: Mapping[TopicPartition, Sequence[Entry]]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Transaction.send`."""
        self._refuse_oversized(appends)
        sent: list[_Sent] = []
        outcomes: list[Written | BaseException] = []
        try:
            async with asyncio.timeout(self._timeout_s):
                try:
                    await self._submit(appends, sent)
                except RAISED as error:
                    # A producer that has failed tells why on what it took before.
                    outcomes.append(error)
                # Committing succeeds although a batch was refused: each must be looked at.
                outcomes[:0] = await asyncio.gather(
                    *(each.acknowledged for each in sent), return_exceptions=True
                )
        except TimeoutError as error:
            raise self._stuck(error, "sending") from error
        return _first_offsets(sent, self._accepted(sent, outcomes))

    async def touch(self, sources: Collection[TopicPartition]) -> None:
        """As `Transaction.touch`."""
        producer = self._producer
        try:
            async with asyncio.timeout(self._timeout_s):
                # An empty batch adds its partition to the transaction and is never sent.
                added = [
                    await producer.send_batch(producer.create_batch(), topic, partition=partition)
                    for topic, partition in sources
                ]
                await asyncio.gather(*added)
        except RAISED as error:
            raise self._stuck(error, "adding partitions to a transaction") from error

    async def consume(
        self, next_offsets: Mapping[TopicPartition, Offset], *, note: str = ""
    ) -> None:
        """As `Transaction.consume`."""
        offsets = {
            KafkaPartition(*source): (int(offset), note) for source, offset in next_offsets.items()
        }
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._producer.send_offsets_to_transaction(offsets, self._group)
        except RAISED as error:
            raise self._stuck(error, "committing offsets in a transaction") from error

    async def _submit(
        self, appends: Mapping[TopicPartition, Sequence[Entry]], sent: list[_Sent]
    ) -> None:
        """The first batch of every partition, then the second: they share requests."""
        producer = self._producer
        queues = {to: batches(producer, entries) for to, entries in appends.items()}
        while queues:
            for to, queue in tuple(queues.items()):
                if (batch := next(queue, None)) is None:
                    del queues[to]
                    continue
                count = batch.record_count()
                acknowledged = await producer.send_batch(batch, to.topic, partition=to.partition)
                sent.append(_Sent(to, count, acknowledged))

    def _refuse_oversized(self, appends: Mapping[TopicPartition, Sequence[Entry]]) -> None:
        # A request over the broker's bound on requests would be tried for ever.
        limit = self._record_bytes_max
        for to, entries in appends.items():
            if (largest := largest_value(entries)) > limit:
                self.failure = RecordRefusedError(*to, f"{largest} bytes are over {limit}")
                raise self.failure

    def _accepted(
        self, sent: Sequence[_Sent], outcomes: Sequence[Written | BaseException]
    ) -> Sequence[int]:
        """The offset of every batch, or what is wrong with the worst of them."""
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not is_refusal(outcome):
                raise self._stuck(outcome, "sending") from outcome
        offsets: list[int] = []
        for each, outcome in zip(sent, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                self.failure = RecordRefusedError(*each.to, repr(outcome))
                raise self.failure from outcome
            offsets.append(outcome.offset)
        return offsets

    def _stuck(self, error: BaseException, doing: str) -> LogError:
        self.failure = in_our_words(error, doing)
        self.is_abortable = False
        return self.failure


def _first_offsets(
    sent: Sequence[_Sent], offsets: Sequence[int]
) -> Mapping[TopicPartition, Offset]:
    """Each partition's first offset; unknown unless its batches stand one behind the other."""
    first: dict[TopicPartition, Offset] = {}
    following: dict[TopicPartition, int] = {}
    for each, offset in zip(sent, offsets, strict=True):
        if offset < 0 or offset != following.get(each.to, offset):
            first[each.to] = _UNKNOWN
        first.setdefault(each.to, Offset(offset))
        following[each.to] = offset + each.record_count
    return first
