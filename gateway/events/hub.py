"""Who subscribes on this node: the log is read from the first of them until the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Self

import structlog

from docreactor.agents.log import TopicPartition
from docreactor.agents.node import Node
from docreactor.gateway.events.cursor import Cursor
from docreactor.gateway.events.ground import Ground
from docreactor.gateway.events.parents import Parents
from docreactor.gateway.events.reading import Reading
from docreactor.gateway.events.subscription import Ending, Subscription
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.errors import (
    InvalidInputError,
    LogError,
    NotYetVisibleError,
    ShuttingDownError,
)
from docreactor.pipeline.position import Offset

_LEAVE_S = 1.0
_log = structlog.get_logger(__name__)


class Hub:
    """Tells events of all partitions, whoever runs them. Use it while `running`."""

    def __init__(self, ground: Ground, parents: Parents, *, events_max: int) -> None:
        self._ground = ground
        self._parents = parents
        self._events_max = events_max
        self._opening = asyncio.Lock()
        self._tasks: asyncio.TaskGroup | None = None
        self._reading: tuple[Reading, asyncio.Task[None]] | None = None
        self._subscriptions: set[Subscription] = set()
        self._left = asyncio.Event()

    @classmethod
    def of(cls, node: Node) -> Self:
        """That of a node."""
        events_max = node.settings.event_queue_max
        return cls(Ground.of(node), Parents.of(node), events_max=events_max)

    @property
    def count(self) -> int:
        """How many subscribe."""
        return len(self._subscriptions)

    @property
    def is_reading(self) -> bool:
        """Whether the log is being read."""
        return self._reading is not None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Take subscriptions while the block runs; those that are left at its end are told."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None
                await self._dismiss()

    @asynccontextmanager
    async def subscription(self, wish: Wish, cursor: str | None) -> AsyncGenerator[Subscription]:
        """Be told what is written from now on, or of all that lies behind a cursor.

        TokenOfAnotherLog or InvalidInput for a cursor that is none of this log, NotYetVisible for
        one that lies ahead of it; LogError while the log cannot be read.
        """
        self._check_open()
        ends = await self._ground.ends()
        subscription = Subscription(
            wish,
            await self._cursor(cursor, ends),
            ground=self._ground,
            parents=self._parents,
            events_max=self._events_max,
        )
        await self._join(subscription, ends)
        try:
            yield subscription
        finally:
            self._leave(subscription)
            await subscription.close()

    async def _cursor(self, text: str | None, ends: Mapping[TopicPartition, Offset]) -> Cursor:
        if text is None:
            return Cursor.at(self._ground.log_id, ends)
        cursor = Cursor.parse(text, log_id=self._ground.log_id, sources=self._ground.sources)
        starts = await self._ground.starts()
        for source in cursor:
            at = cursor[source]
            if at.start < starts[source]:
                raise InvalidInputError(
                    "Last-Event-ID", "lies before what the log still holds: begin without it"
                )
            if at.done > ends[source]:
                reached = Cursor.at(self._ground.log_id, ends)
                raise NotYetVisibleError(wanted=text, reached=reached.text)
        return cursor

    async def _join(
        self, subscription: Subscription, ends: Mapping[TopicPartition, Offset]
    ) -> None:
        async with self._opening:
            self._check_open()
            if self._reading is None:
                reader = await self._ground.log.reader(ends)
                reading = Reading(self._ground, reader, ends, held_max=self._events_max)
                task = self._check_open().create_task(self._run(reading))
                self._reading = reading, task
            self._subscriptions.add(subscription)
            subscription.begin(self._reading[0])

    def _check_open(self) -> asyncio.TaskGroup:
        if self._tasks is None:
            raise ShuttingDownError
        return self._tasks

    async def _run(self, reading: Reading) -> None:
        try:
            await reading.run()
        except* LogError as errors:
            _log.warning("reading events failed", detail=str(errors.exceptions[0]))
            self._reading = None
            for subscription in self._subscriptions:
                subscription.end(Ending.LOST)

    def _leave(self, subscription: Subscription) -> None:
        self._subscriptions.remove(subscription)
        if self._reading is not None:
            reading, task = self._reading
            reading.detach(subscription)
            if not self._subscriptions:
                self._reading = None
                task.cancel()
        if not self._subscriptions:
            self._left.set()

    async def _dismiss(self) -> None:
        """Tell those who are left, and give them a moment to go."""
        self._left.clear()
        for subscription in self._subscriptions:
            subscription.end(Ending.STOPPING)
        if self._subscriptions:
            try:
                async with asyncio.timeout(_LEAVE_S):
                    await self._left.wait()
            except TimeoutError:
                _log.warning("subscribers are slow to leave", count=self.count)
        if self._reading is not None:
            self._reading[1].cancel()
            self._reading = None
