"""The one writer behind a transactional id, on a Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

from docreactor.agents.log.clients import Producer
from docreactor.agents.log.failure import RAISED, in_our_words
from docreactor.agents.log.kafka_producer import Producers
from docreactor.agents.log.kafka_transaction import KafkaTransaction
from docreactor.agents.log.standing import Standing
from docreactor.pipeline.errors import FencedError, LogError


class KafkaTransactor:
    """A Transactor over an aiokafka producer.

    Every step is bounded by the transaction's timeout: after it the broker has aborted anyway.
    """

    def __init__(self, producer: Producer, producers: Producers, group: str) -> None:
        self._producer = producer
        self._closing = producers.closing
        self._settings = producers.settings
        self._group = group
        self._timeout_s = producers.settings.transaction_timeout_ms / 1000
        self._standing = Standing()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[KafkaTransaction, None]:
        """As `Transactor.transaction`."""
        self._standing.check()
        transaction = KafkaTransaction(self._producer, self._settings, self._group)
        # It knows when a producer is past aborting; its public calls do not tell.
        context = self._producer.transaction()
        await self._step(context.__aenter__(), "beginning a transaction")
        try:
            yield transaction
            if transaction.failure:
                raise transaction.failure
            self._standing.check()
        except BaseException as error:
            abortable = transaction.is_abortable and not self._standing.is_spent
            self._standing.spend(transaction.failure)
            if abortable:
                await self._abort(context.__aexit__(type(error), error, None), error)
            raise
        await self._step(context.__aexit__(None, None, None), "committing a transaction")

    async def close(self) -> None:
        """As `Transactor.close`."""
        self._standing.spend(LogError("it was closed"))
        await self._closing.stop(self._producer)

    async def _abort(self, step: Awaitable[object], reason: BaseException) -> None:
        """Nothing of it will stand, even where this fails: then its next owner aborts it."""
        try:
            await self._step(step, "aborting a transaction")
        except FencedError:
            if isinstance(reason, Exception):
                raise
        except LogError:
            # Why it was aborted is what the caller must hear of.
            return

    async def _step(self, step: Awaitable[object], doing: str) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await step
        except RAISED as error:
            failure = in_our_words(error, doing)
            self._standing.spend(failure)
            raise failure from error
        except asyncio.CancelledError:
            # The step goes on in the background: nobody here will know how it ended.
            self._standing.spend(LogError(f"{doing} was cancelled"))
            raise


async def open_transactor(
    producers: Producers, transactional_id: str, *, group: str
) -> KafkaTransactor:
    """As `Log.transactor`; LogError when that takes longer than a request may."""
    producer = await producers.open(
        f"opening the transactor {transactional_id}",
        transactional_id=transactional_id,
        transaction_timeout_ms=producers.settings.transaction_timeout_ms,
    )
    return KafkaTransactor(producer, producers, group)
