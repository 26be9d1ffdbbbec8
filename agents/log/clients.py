"""The parts of aiokafka that we use, with the types that it does not carry."""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from docreactor.agents.log import LogRecord
from docreactor.pipeline.topics import TopicDeclaration

__all__ = [
    "Admin",
    "AtTime",
    "Batch",
    "Consumer",
    "KafkaPartition",
    "Listener",
    "Producer",
    "Written",
    "by_range",
    "new_admin",
    "new_consumer",
    "new_producer",
    "new_topic",
    "topic_resource",
]


class Listener(ABC):
    """Who hears of a consumer's assignments. What it raises is logged and forgotten."""

    @abstractmethod
    async def on_partitions_revoked(self, revoked: Sequence[KafkaPartition]) -> None: ...

    @abstractmethod
    async def on_partitions_assigned(self, assigned: Sequence[KafkaPartition]) -> None: ...


ConsumerRebalanceListener.register(Listener)

by_range: Sequence[type] = (RangePartitionAssignor,)
"""Equal partition numbers of equally divided topics go to the same member."""


class Consumer(Protocol):
    """An AIOKafkaConsumer."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def assign(self, partitions: Sequence[KafkaPartition]) -> None: ...
    def subscribe(self, topics: Sequence[str], *, listener: Listener) -> None: ...
    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[KafkaPartition, Sequence[LogRecord]]: ...
    async def position(self, partition: KafkaPartition) -> int: ...
    def seek(self, partition: KafkaPartition, offset: int) -> None: ...
    def pause(self, *partitions: KafkaPartition) -> None: ...
    def resume(self, *partitions: KafkaPartition) -> None: ...
    async def commit(self, offsets: Mapping[KafkaPartition, int]) -> None: ...
    async def committed(self, partition: KafkaPartition) -> int | None: ...
    async def beginning_offsets(
        self, partitions: Sequence[KafkaPartition]
    ) -> Mapping[KafkaPartition, int]: ...
    async def end_offsets(
        self, partitions: Sequence[KafkaPartition]
    ) -> Mapping[KafkaPartition, int]: ...
    async def offsets_for_times(
        self, timestamps: Mapping[KafkaPartition, int]
    ) -> Mapping[KafkaPartition, AtTime | None]: ...


class AtTime(Protocol):
    """What a broker answered to a question for a time."""

    @property
    def offset(self) -> int: ...


class Batch(Protocol):
    """A batch that a producer has not been given yet."""

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> object | None: ...
    def record_count(self) -> int: ...


class Written(Protocol):
    """What a broker answered: the first offset, -1 where it does not know it any more."""

    @property
    def offset(self) -> int: ...


class Producer(Protocol):
    """An AIOKafkaProducer."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def create_batch(self) -> Batch: ...
    async def send_batch(
        self, batch: Batch, topic: str, *, partition: int
    ) -> Awaitable[Written]: ...
    async def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None,
        partition: int,
        headers: Sequence[tuple[str, bytes]],
    ) -> Awaitable[Written]: ...
    def transaction(self) -> AbstractAsyncContextManager[object]: ...
    async def send_offsets_to_transaction(
        self, offsets: Mapping[KafkaPartition, tuple[int, str]], group_id: str
    ) -> None: ...


class Admin(Protocol):
    """An AIOKafkaAdminClient; it answers with the protocol's own structures."""

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def describe_cluster(self) -> Mapping[str, Any]: ...
    async def create_topics(self, new_topics: Sequence[object]) -> Any: ...
    async def list_topics(self) -> Sequence[str]: ...
    async def describe_topics(self, topics: Sequence[str]) -> Sequence[Mapping[str, Any]]: ...
    async def describe_configs(self, config_resources: Sequence[object]) -> Sequence[Any]: ...
    async def describe_consumer_groups(self, group_ids: Sequence[str]) -> Sequence[Any]: ...
    async def list_consumer_group_offsets(
        self, group_id: str, *, partitions: Sequence[KafkaPartition]
    ) -> Mapping[KafkaPartition, tuple[int, str]]: ...


def new_consumer(**arguments: Any) -> Consumer:
    """One that has not been started."""
    return cast("Consumer", AIOKafkaConsumer(**arguments))


def new_producer(**arguments: Any) -> Producer:
    """One that has not been started."""
    return cast("Producer", AIOKafkaProducer(**arguments))


def new_admin(**arguments: Any) -> Admin:
    """One that has not been started."""
    return cast("Admin", AIOKafkaAdminClient(**arguments))


def new_topic(topic: TopicDeclaration, *, replication_factor: int) -> object:
    """What `create_topics` takes."""
    return NewTopic(
        topic.name, topic.partition_count, replication_factor, topic_configs=dict(topic.config)
    )


def topic_resource(name: str) -> object:
    """What `describe_configs` takes."""
    return ConfigResource(ConfigResourceType.TOPIC, name)
