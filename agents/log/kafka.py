"""The log on a Kafka, through aiokafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from docreactor.agents.log import Assignments, Isolation, TopicPartition
from docreactor.agents.log.clients import Admin, new_admin
from docreactor.agents.log.closing import Closing
from docreactor.agents.log.connection import Connection, connection_to
from docreactor.agents.log.failure import RAISED
from docreactor.agents.log.kafka_admin import KafkaAdmin
from docreactor.agents.log.kafka_member import KafkaMember, open_member
from docreactor.agents.log.kafka_producer import Producers
from docreactor.agents.log.kafka_reader import KafkaReader, open_reader
from docreactor.agents.log.kafka_transactor import KafkaTransactor, open_transactor
from docreactor.agents.log.kafka_writer import KafkaWriter, open_writer
from docreactor.pipeline.errors import BrokerUnreachableError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import TopicDeclaration

_CLOSING_WAIT_S = 3.0
_RETRY_S = 0.2


class KafkaLog:
    """A Log on a Kafka cluster."""

    def __init__(self, connection: Connection, settings: Settings, client: Admin):
        self._connection = connection
        self._settings = settings
        self._group = f"{settings.app}-reactor"
        self._closing = Closing(wait_s=_CLOSING_WAIT_S)
        self._producers = Producers(connection, settings, self._closing)
        self._admin = KafkaAdmin(client, connection, settings, self._closing, group=self._group)

    async def transactor(self, transactional_id: str) -> KafkaTransactor:
        """As `Log.transactor`."""
        return await open_transactor(self._producers, transactional_id, group=self._group)

    async def writer(self) -> KafkaWriter:
        """As `Log.writer`."""
        return await open_writer(self._producers)

    async def reader(
        self,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> KafkaReader:
        """As `Log.reader`."""
        return await open_reader(
            self._connection, self._settings, self._closing, sources, isolation
        )

    async def member(self, topics: Sequence[str], assignments: Assignments) -> KafkaMember:
        """As `Log.member`; the process's static id is `settings.member_id`."""
        return await open_member(
            self._connection,
            self._settings,
            self._closing,
            topics,
            assignments,
            group=self._group,
            holder=partial(self._admin.holder, self._settings.member_id or ""),
        )

    async def committed(self, source: TopicPartition) -> Offset | None:
        """As `Log.committed`."""
        return await self._admin.committed(source)

    async def note(self, source: TopicPartition) -> str:
        """As `Log.note`."""
        return await self._admin.note(source)

    async def commit(self, next_offsets: Mapping[TopicPartition, Offset]) -> None:
        """As `Log.commit`."""
        await self._admin.commit(next_offsets)

    async def start_offsets(
        self, sources: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.start_offsets`."""
        return await self._admin.start_offsets(sources)

    async def end_offsets(
        self,
        sources: Sequence[TopicPartition],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.end_offsets`."""
        return await self._admin.end_offsets(sources, isolation)

    async def offsets_since(
        self, times_ms: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.offsets_since`."""
        return await self._admin.offsets_since(times_ms)

    async def create(self, topics: Sequence[TopicDeclaration]) -> Sequence[str]:
        """As `Log.create`; as many copies as the settings say and brokers there are."""
        return await self._admin.create(topics)

    async def describe(self, names: Sequence[str]) -> Sequence[TopicDeclaration]:
        """As `Log.describe`."""
        return await self._admin.describe(names)

    async def broker_count(self) -> int:
        """As `Log.broker_count`."""
        return await self._admin.broker_count()

    async def close(self) -> None:
        """As `Log.close`; bounded, even while the broker is away."""
        await self._closing.finish()
        await self._admin.close()


@asynccontextmanager
async def open_kafka(
    settings: Settings, bootstrap_servers: str, *, wait_s: float
) -> AsyncGenerator[KafkaLog, None]:
    """Connect, or BrokerUnreachable after so long; the log is closed at the end of the block."""
    connection = connection_to(bootstrap_servers, settings)
    client = await _admin_client(connection, settings, wait_s=wait_s)
    log = KafkaLog(connection, settings, client)
    try:
        yield log
    finally:
        await log.close()


async def _admin_client(connection: Connection, settings: Settings, *, wait_s: float) -> Admin:
    client = new_admin(
        **connection.arguments, request_timeout_ms=settings.broker_timeout_ms, retry_backoff_ms=20
    )
    try:
        async with asyncio.timeout(wait_s):
            while True:
                try:
                    await client.start()
                    return client
                except RAISED:
                    await asyncio.sleep(_RETRY_S)
    except BaseException as error:
        await client.close()
        if isinstance(error, TimeoutError):
            raise BrokerUnreachableError(connection.bootstrap_servers, waited_s=wait_s) from error
        raise
