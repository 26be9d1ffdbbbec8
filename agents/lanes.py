"""A running partition: the lane that writes, beside the one that shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from random import random

from docreactor.agents.arrival import Arrived
from docreactor.agents.commit import Committer
from docreactor.agents.compaction import compact_remains
from docreactor.agents.deferral import Deferral
from docreactor.agents.dependencies import Dependencies
from docreactor.agents.deployment import Deployment
from docreactor.agents.erasure import Erasing
from docreactor.agents.feed import Feed
from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.lease import Lease
from docreactor.agents.live import LivePartition
from docreactor.agents.log import Flow, TopicPartition
from docreactor.agents.pause import Pause
from docreactor.agents.read_models import ReadModels
from docreactor.agents.reducer import ReducerAgent
from docreactor.agents.retrying import Retrying
from docreactor.agents.tail import Tail
from docreactor.agents.write_lane import Decider, WriteLane
from docreactor.pipeline.errors import UnknownModelError

_INBOX_BATCHES = 3
_DAY_MS = 86_400_000

Lacks = Callable[[str, UnknownModelError | None], None]
"""Told which agent waits for which model, and None when it goes on."""


class Lanes:
    """The write lane and the read models of one life, and what they take from."""

    def __init__(
        self,
        deployment: Deployment,
        arrived: Arrived,
        live: LivePartition,
        models: ReadModels,
        *,
        lease: Lease,
        flow: Flow,
        lacks: Lacks,
    ) -> None:
        settings = deployment.settings
        batch = Room(settings.batch_jobs_max, settings.batch_bytes_max)
        ahead = Room(_INBOX_BATCHES * batch.records, _INBOX_BATCHES * batch.bytes)
        actions, operations = deployment.actions(live.number), deployment.operations(live.number)
        self._jobs = Inbox(actions, flow, ahead)
        self.inboxes: Mapping[str, Inbox | Feed] = {
            actions.topic: self._jobs,
            operations.topic: models.feed,
        }
        self._models = models
        self._stores = (arrived.tables.write_store, arrived.documents.table.store)
        self._dependencies = _dependencies(deployment, arrived, live.number, self._on_ended)
        self._deferral = _deferral(deployment, arrived, self._dependencies)
        self._write = WriteLane(
            deployment.log,
            self._jobs,
            Decider(
                _reducer(deployment, arrived, actions, self._deferral, live),
                _committer(deployment, arrived, live.number, lease),
                self._deferral,
                _erasing(deployment, arrived),
            ),
            arrived.attempts,
            Pause(self._jobs, deployment.registry, partial(lacks, "reducer"), random),
            Retrying(settings, random),
            live,
            room=batch,
        )

    def _on_ended(self, job_id: str) -> None:
        """Have the reducer look at the jobs that wait for this one."""
        self._deferral.ended(job_id)
        self._jobs.wake()

    async def _compact(self) -> None:
        """Go on with erasures where processes before this one have ended."""
        for store in self._stores:
            await compact_remains(store)

    async def run(self, leaving: Callable[[], bool]) -> None:
        """Until `leaving` says so and both have ended; what ends one before ends the other."""
        looking = asyncio.create_task(self._dependencies.run())
        lanes = [
            asyncio.create_task(self._write.run(leaving)),
            asyncio.create_task(self._models.run()),
        ]
        compacting = asyncio.create_task(self._compact())
        tasks = [looking, compacting, *lanes]

        def end(task: asyncio.Task[None]) -> None:
            if task is looking or task.cancelled() or task.exception() is not None:
                for lane in lanes:
                    lane.cancel()

        looking.add_done_callback(end)
        compacting.add_done_callback(end)
        try:
            await asyncio.wait(lanes, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled():
                task.result()


def _dependencies(
    deployment: Deployment, arrived: Arrived, partition: int, ended: Callable[[str], None]
) -> Dependencies:
    settings = deployment.settings
    return Dependencies(
        deployment.log,
        TopicPartition(deployment.topics.jobs, partition),
        arrived.tables.jobs,
        partition_count=settings.partitions,
        skew_ms=settings.clock_skew_max_ms,
        ended=ended,
    )


def _deferral(deployment: Deployment, arrived: Arrived, dependencies: Dependencies) -> Deferral:
    return Deferral(
        arrived.tables.deferred,
        dependencies,
        timeout_us=deployment.settings.dependency_timeout_ms * 1_000,
        now_us=deployment.clock.now_us,
    )


def _reducer(
    deployment: Deployment,
    arrived: Arrived,
    source: TopicPartition,
    deferral: Deferral,
    live: LivePartition,
) -> ReducerAgent:
    return ReducerAgent(
        source,
        arrived.tables.write,
        deferral,
        deployment.registry,
        deployment.settings,
        bound=deployment.bound,
        now_us=deployment.clock.now_us,
        working=live.working,
    )


def _erasing(deployment: Deployment, arrived: Arrived) -> Erasing:
    tables = arrived.tables
    return Erasing(tables.write, tables.jobs, tables.deferred, deployment.clock.now_us)


def _committer(deployment: Deployment, arrived: Arrived, partition: int, lease: Lease) -> Committer:
    return Committer(
        deployment.topics,
        partition,
        deployment.log_id,
        arrived.ownership,
        Tail(deployment.log, deployment.operations(partition)),
        arrived.tables.write_store,
        arrived.tables.write,
        arrived.tables.jobs,
        arrived.tables.deferred,
        lease,
        deployment.metrics,
        deployment.clock.now_ms,
        deployment.settings.jobs_retention_days * _DAY_MS,
    )
