"""A member of the group on a Kafka, and how it notices that its name was taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from docreactor.agents.log import Assignments, Fetched, Isolation, TopicPartition
from docreactor.agents.log.clients import (
    Consumer,
    KafkaPartition,
    Listener,
    by_range,
    new_consumer,
)
from docreactor.agents.log.closing import Closing
from docreactor.agents.log.connection import Connection
from docreactor.agents.log.kafka_feed import Feed
from docreactor.agents.log.kafka_reader import consumer_arguments, start_consumer
from docreactor.pipeline.errors import LogError, MemberIdTakenError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings

_HEARTBEAT_MAX_MS = 1_000
_REPLACED_MAX = 2
# Nothing beats for the member while it asks.
_ASK_MAX_S = 1.0
_REPLACED_WITHIN_S = 60.0

_log = structlog.get_logger()

Holder = Callable[[], Awaitable[str | None]]
"""Tells which member the group knows by this process's static id."""


class StaticName:
    """Who holds a static member id.

    aiokafka takes a broker's word that another process has it for a lost session, joins again
    and takes it back: two of them would go on for ever.
    """

    def __init__(self, member_id: str, holder: Holder) -> None:
        self._member_id = member_id
        self._holder = holder
        self._own: str | None = None
        self._replaced_at: deque[float] = deque(maxlen=_REPLACED_MAX)

    async def joined(self) -> None:
        """Remember under which id the group has us."""
        self._own = await self._ask()

    async def check(self) -> None:
        """MemberIdTaken when another had it, twice within a minute."""
        holder = await self._ask()
        if holder is None or self._own is None or holder == self._own:
            return
        now = asyncio.get_running_loop().time()
        self._replaced_at.append(now)
        recent = [at for at in self._replaced_at if now - at <= _REPLACED_WITHIN_S]
        if len(recent) == _REPLACED_MAX:
            raise MemberIdTakenError(
                f"another process runs with the member id {self._member_id}: give each its own "
                "DOCREACTOR_MEMBER_ID, or none"
            )

    async def _ask(self) -> str | None:
        try:
            async with asyncio.timeout(_ASK_MAX_S):
                return await self._holder()
        except (LogError, TimeoutError) as error:
            _log.warning("could not ask who has the member id", error=repr(error))
            return None


class _Listener(Listener):
    """What aiokafka tells of assignments. It swallows what a listener raises: kept here."""

    def __init__(self, feed: Feed, assignments: Assignments, name: StaticName | None) -> None:
        self._feed = feed
        self._assignments = assignments
        self._name = name
        self.failure: Exception | None = None

    async def on_partitions_revoked(self, revoked: Sequence[KafkaPartition]) -> None:
        self._feed.end()
        sources = frozenset(TopicPartition(*partition) for partition in revoked)
        try:
            if sources:
                await self._assignments.revoked(sources)
            if self._name:
                await self._name.check()
        except Exception as error:  # noqa: BLE001  aiokafka would lose it, fetch raises it
            self.failure = error

    async def on_partitions_assigned(self, assigned: Sequence[KafkaPartition]) -> None:
        sources = frozenset(TopicPartition(*partition) for partition in assigned)
        try:
            self._feed.begin(dict.fromkeys(sources, Offset(0)), paused=True)
            await self._assignments.assigned(sources)
            if self._name:
                await self._name.joined()
        except Exception as error:  # noqa: BLE001  aiokafka would lose it, fetch raises it
            self.failure = error


class KafkaMember:
    """A Member over an aiokafka consumer in a group."""

    def __init__(
        self, consumer: Consumer, feed: Feed, listener: _Listener, closing: Closing
    ) -> None:
        self._consumer = consumer
        self._feed = feed
        self._listener = listener
        self._closing = closing

    async def fetch(self, *, count_max: int, timeout_ms: int) -> Mapping[TopicPartition, Fetched]:
        """As `Reader.fetch`; raises what `Assignments` raised, or MemberIdTaken."""
        if self._listener.failure:
            raise self._listener.failure
        fetched = await self._feed.fetch(count_max=count_max, timeout_ms=timeout_ms)
        if self._listener.failure:
            raise self._listener.failure
        return fetched

    def seek(self, source: TopicPartition, offset: Offset) -> None:
        """As `Reader.seek`."""
        self._feed.seek(source, offset)

    def pause(self, *sources: TopicPartition) -> None:
        """As `Member.pause`."""
        self._feed.pause(sources)

    def resume(self, *sources: TopicPartition) -> None:
        """As `Member.resume`."""
        self._feed.resume(sources)

    async def close(self) -> None:
        """Idempotent."""
        self._feed.end()
        await self._closing.stop(self._consumer)


async def open_member(
    connection: Connection,
    settings: Settings,
    closing: Closing,
    topics: Sequence[str],
    assignments: Assignments,
    *,
    group: str,
    holder: Holder,
) -> KafkaMember:
    """Connect and begin to join; `assignments` hears nothing before this has returned."""
    doing = "reading as a member"
    consumer = new_consumer(
        **consumer_arguments(connection, settings, Isolation.COMMITTED)
        | {
            "group_id": group,
            "group_instance_id": settings.member_id,
            "partition_assignment_strategy": by_range,
            "session_timeout_ms": settings.session_timeout_ms,
            "rebalance_timeout_ms": settings.rebalance_timeout_ms,
            # Members learn of a rebalance by their heartbeat: the interval is what it costs.
            "heartbeat_interval_ms": min(settings.session_timeout_ms // 4, _HEARTBEAT_MAX_MS),
            # Joining may take as long as the slowest member takes to let go.
            "request_timeout_ms": settings.broker_timeout_ms + settings.rebalance_timeout_ms,
        }
    )
    timeout_s = settings.broker_timeout_ms / 1000
    await start_consumer(consumer, closing, timeout_s=timeout_s, doing=doing)
    feed = Feed(consumer, doing)
    name = StaticName(settings.member_id, holder) if settings.member_id else None
    listener = _Listener(feed, assignments, name)
    consumer.subscribe(list(topics), listener=listener)
    return KafkaMember(consumer, feed, listener, closing)
