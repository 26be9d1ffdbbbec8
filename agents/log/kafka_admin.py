"""Topics and groups of a Kafka: created, described, asked for offsets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from docreactor.agents.log import Isolation, TopicPartition
from docreactor.agents.log.clients import (
    Admin,
    Consumer,
    KafkaPartition,
    new_consumer,
    new_topic,
    topic_resource,
)
from docreactor.agents.log.closing import Closing
from docreactor.agents.log.connection import Connection
from docreactor.agents.log.failure import RAISED, check_created, failing_as, has_members, is_moving
from docreactor.agents.log.kafka_reader import consumer_arguments, start_consumer
from docreactor.pipeline.errors import GroupHasMembersError, LogError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import TopicDeclaration

_POLL_S = 0.02
# A static member is known to the group by its id, a hyphen and a UUID.
_SUFFIX_LENGTH = 37
_Answer = TypeVar("_Answer")


class KafkaAdmin:
    """Everything about a Kafka that is not reading or writing records."""

    def __init__(
        self,
        client: Admin,
        connection: Connection,
        settings: Settings,
        closing: Closing,
        *,
        group: str,
    ) -> None:
        self._client = client
        self._connection = connection
        self._settings = settings
        self._closing = closing
        self._group = group
        self._timeout_s = settings.broker_timeout_ms / 1000
        self._consumers: dict[Isolation, Consumer] = {}
        self._opening = asyncio.Lock()

    async def broker_count(self) -> int:
        """As `Log.broker_count`."""
        cluster = await self._ask("describing the cluster", self._client.describe_cluster)
        return len(cluster["brokers"])

    async def create(self, topics: Sequence[TopicDeclaration]) -> Sequence[str]:
        """As `Log.create`."""
        copies = min(self._settings.replication_factor, await self.broker_count())
        wanted = [new_topic(topic, replication_factor=copies) for topic in topics]
        answer = await self._ask("creating topics", lambda: self._client.create_topics(wanted))
        created = [name for name, *outcome in answer.topic_errors if check_created(name, *outcome)]
        names = [topic.name for topic in topics]
        await self._ask("waiting for topics", lambda: self._await_leaders(names))
        return created

    async def describe(self, names: Sequence[str]) -> Sequence[TopicDeclaration]:
        """As `Log.describe`."""
        # To ask for one that does not exist would create it where the cluster allows that.
        existing = set(await self._ask("listing topics", self._client.list_topics))
        asked = [name for name in names if name in existing]
        if not asked:
            return []
        topics = await self._ask("describing topics", lambda: self._client.describe_topics(asked))
        resources = [topic_resource(name) for name in asked]
        answers = await self._ask(
            "describing topics", lambda: self._client.describe_configs(resources)
        )
        counts = {topic["topic"]: len(topic["partitions"]) for topic in topics}
        configs = {
            name: {entry[0]: entry[1] for entry in entries}
            for answer in answers
            for _, _, _, name, entries in answer.resources
        }
        return [TopicDeclaration(name, counts[name], configs[name]) for name in asked]

    async def committed(self, source: TopicPartition) -> Offset | None:
        """As `Log.committed`."""
        offset: int | None = await self._ask_a_consumer(
            Isolation.COMMITTED,
            "reading the group's offsets",
            lambda consumer: consumer.committed(KafkaPartition(*source)),
        )
        return None if offset is None else Offset(offset)

    async def note(self, source: TopicPartition) -> str:
        """As `Log.note`."""
        partition = KafkaPartition(*source)
        answer = await self._ask(
            "reading the group's offsets",
            lambda: self._client.list_consumer_group_offsets(self._group, partitions=[partition]),
        )
        return answer[partition][1] or ""

    async def commit(self, next_offsets: Mapping[TopicPartition, Offset]) -> None:
        """As `Log.commit`."""
        offsets = {KafkaPartition(*source): int(offset) for source, offset in next_offsets.items()}
        doing = "setting the group's offsets"
        consumer = await self._start(Isolation.COMMITTED, doing)
        try:
            consumer.assign(list(offsets))
            consumer.pause(*offsets)
            await self._ask(doing, lambda: consumer.commit(offsets))
        except LogError as error:
            if has_members(error.__cause__):
                raise GroupHasMembersError(self._group) from error
            raise
        finally:
            await self._closing.stop(consumer)

    async def holder(self, member_id: str) -> str | None:
        """Which member the group knows by this static id, None if there is no such member."""
        (answer,) = await self._ask(
            "describing the group", lambda: self._client.describe_consumer_groups([self._group])
        )
        names: list[str] = [
            member[0] for _, _, _, _, _, members in answer.groups for member in members
        ]
        return next((name for name in names if name[:-_SUFFIX_LENGTH] == member_id), None)

    async def start_offsets(
        self, sources: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.start_offsets`."""
        partitions = [KafkaPartition(*source) for source in sources]
        return _offsets(
            await self._ask_a_consumer(
                Isolation.COMMITTED,
                "asking for start offsets",
                lambda consumer: consumer.beginning_offsets(partitions),
            )
        )

    async def end_offsets(
        self, sources: Sequence[TopicPartition], isolation: Isolation
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.end_offsets`."""
        partitions = [KafkaPartition(*source) for source in sources]
        return _offsets(
            await self._ask_a_consumer(
                isolation,
                "asking for end offsets",
                lambda consumer: consumer.end_offsets(partitions),
            )
        )

    async def offsets_since(
        self, times_ms: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Log.offsets_since`."""
        # Asked first: what is written in between is not to be passed over.
        ends = await self.end_offsets(list(times_ms), Isolation.COMMITTED)
        asked = {KafkaPartition(*source): time_ms for source, time_ms in times_ms.items()}
        found = await self._ask_a_consumer(
            Isolation.COMMITTED,
            "asking for the offsets of a time",
            lambda consumer: consumer.offsets_for_times(asked),
        )
        since = {
            TopicPartition(*source): Offset(at.offset)
            for source, at in found.items()
            if at is not None and at.offset >= 0
        }
        return {**ends, **since}

    async def close(self) -> None:
        """Idempotent."""
        await self._client.close()
        # A transport that was told to close does so in the loop's next turn.
        await asyncio.sleep(0)

    async def _consumer(self, isolation: Isolation) -> Consumer:
        """One that never reads: consumers can ask for offsets, each at its own isolation."""
        async with self._opening:
            if isolation not in self._consumers:
                self._consumers[isolation] = await self._start(isolation, "asking for offsets")
            return self._consumers[isolation]

    async def _start(self, isolation: Isolation, doing: str) -> Consumer:
        consumer = new_consumer(
            **consumer_arguments(self._connection, self._settings, isolation),
            group_id=self._group,
        )
        await start_consumer(consumer, self._closing, timeout_s=self._timeout_s, doing=doing)
        return consumer

    async def _ask_a_consumer(
        self, isolation: Isolation, doing: str, question: Callable[[Consumer], Awaitable[_Answer]]
    ) -> _Answer:
        consumer = await self._consumer(isolation)
        try:
            return await self._ask(doing, lambda: question(consumer))
        except LogError:
            # An error that aiokafka does not expect may end the task that keeps its metadata.
            # Then this one never answers again.
            if self._consumers.get(isolation) is consumer:
                del self._consumers[isolation]
                await self._closing.stop(consumer)
            raise

    async def _ask(self, doing: str, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Ask until it is answered, or time is up; a coordinator may be on the move."""
        with failing_as(doing):
            async with asyncio.timeout(self._timeout_s):
                while True:
                    try:
                        return await question()
                    except RAISED as error:
                        if not is_moving(error):
                            raise
                    await asyncio.sleep(_POLL_S)

    async def _await_leaders(self, names: Sequence[str]) -> None:
        while True:
            topics = await self._client.describe_topics(names)
            leaders = [each["leader"] for topic in topics for each in topic["partitions"]]
            if not any(topic["error_code"] for topic in topics) and min(leaders) >= 0:
                return
            await asyncio.sleep(_POLL_S)


def _offsets(answer: Mapping[Any, int]) -> Mapping[TopicPartition, Offset]:
    return {TopicPartition(*source): Offset(offset) for source, offset in answer.items()}
