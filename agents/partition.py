"""One assignment of one partition, from assigned to closed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import random
from typing import Any

import structlog

from docreactor.agents.arrival import Arrival, Arrived
from docreactor.agents.board import reducer_key
from docreactor.agents.bulletin import tell_absent, told
from docreactor.agents.deployment import Deployment
from docreactor.agents.derivation import Derivation
from docreactor.agents.feed import Feed
from docreactor.agents.inbox import Inbox
from docreactor.agents.kept import Kept
from docreactor.agents.lanes import Lanes
from docreactor.agents.lease import Lease
from docreactor.agents.live import LivePartition
from docreactor.agents.log import Fetched, Member, TopicPartition
from docreactor.agents.pause import Pause
from docreactor.agents.phase import Phase
from docreactor.agents.projections import Projections
from docreactor.agents.read_models import ReadModels
from docreactor.pipeline.errors import (
    ActionsLostError,
    FencedError,
    OffsetsLostError,
    ReactorError,
    UnknownModelError,
)
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached

_log = structlog.get_logger(__name__)

_FATAL = (FencedError, OffsetsLostError, ActionsLostError)
_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 5.0


class PartitionAgent:
    """Lives until it is told to leave. What is of the place it tries again, in a new life."""

    def __init__(
        self, deployment: Deployment, partition: int, member: asyncio.Future[Member]
    ) -> None:
        self.partition = partition
        self._deployment = deployment
        self._member = member
        self._phase = Phase.ASSIGNED
        self._progress = 0.0
        self._error: ReactorError | OSError | None = None
        self._lacking: dict[str, UnknownModelError] = {}
        self._epoch = 0
        self._leaving = False
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ends: tuple[int | None, int | None] = (None, None)
        self._inboxes: Mapping[str, Inbox | Feed] = {}
        self._live: LivePartition | None = None
        self._models: ReadModels | None = None
        self._lease = Lease(
            deployment.settings.session_timeout_ms / 2000, deployment.clock.monotonic_s
        )

    @property
    def phase(self) -> Phase:
        """Where the present life stands."""
        return self._phase

    @property
    def progress(self) -> float:
        """How much of the restore is done, 0 to 1."""
        return self._progress

    @property
    def error(self) -> ReactorError | OSError | None:
        """What ended the last life, until a life runs."""
        return self._error

    def live(self) -> LivePartition | None:
        """What may be asked here now: None unless it runs and its lease is held."""
        if self._phase is Phase.RUNNING and not self._leaving and self._lease.held():
            return self._live
        return None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin living."""
        self._task = tasks.create_task(self.run())

    def cancel(self) -> None:
        """End whatever did not end by itself. The open transaction is aborted or times out."""
        if self._task is not None:
            self._task.cancel()

    def measure(self, end_of_actions: int | None, end_of_operations: int | None) -> None:
        """Take in the ends of the logs, for lag."""
        self._ends = (end_of_actions, end_of_operations)
        live, lag = self._live, self._deployment.metrics.lag
        if live is not None and end_of_actions is not None and end_of_operations is not None:
            behind = max(0, end_of_actions - live.consumed.next_offset)
            lag.labels("reducer", self.partition).set(behind)
            for kept in self._models.every() if self._models is not None else ():
                behind = max(0, end_of_operations - kept.reached.next_offset)
                lag.labels(kept.name, self.partition).set(behind)

    def offer(self, source: TopicPartition, fetched: Fetched) -> None:
        """Take in what the group's member fetched; without an inbox it is not ours any more."""
        inbox = self._inboxes.get(source.topic)
        if inbox is not None:
            inbox.offer(fetched)

    async def run(self) -> None:
        """One life after another. Fenced, OffsetsLost and ActionsLost end the process."""
        backoff_s = _BACKOFF_FIRST_S
        try:
            while not self._leaving:
                try:
                    await self._life()
                except _FATAL:
                    raise
                except (ReactorError, OSError) as error:
                    self._error = error
                    name = error.name() if isinstance(error, ReactorError) else "OSError"
                    self._deployment.metrics.errors.labels(name).inc()
                    _log.warning(
                        "partition failed", partition=self.partition, error=name, detail=str(error)
                    )
                    self.tell()
                    await asyncio.sleep(backoff_s)
                    if isinstance(error, UnknownModelError):
                        await asyncio.to_thread(self._deployment.registry.refresh)
                    backoff_s = min(_BACKOFF_MAX_S, backoff_s * 2)
                else:
                    backoff_s = _BACKOFF_FIRST_S
        finally:
            self._gone.set()

    async def leave(self) -> None:
        """Stop serving at once, finish the transaction in flight, return when all is let go."""
        self._leaving = True
        self._lease.drop()
        if self._phase is not Phase.RUNNING:
            self.cancel()
        for inbox in self._inboxes.values():
            inbox.close()
        await self._gone.wait()

    def _enter(self, phase: Phase) -> None:
        self._phase = self._phase.to(phase)
        self._deployment.metrics.phase.labels(self.partition).set(phase.value)
        _log.info("partition", partition=self.partition, phase=phase.name)

    def _on_number(self, epoch: int) -> None:
        self._epoch = epoch

    def _on_progress(self, progress: float) -> None:
        self._progress = progress
        self._deployment.metrics.restore_progress.labels(self.partition).set(progress)
        self.tell()

    def _on_lack(self, name: str, lacking: UnknownModelError | None) -> None:
        """Tell that an agent waits for a model, or goes on."""
        if lacking is None:
            self._lacking.pop(name, None)
            _log.info("waits no longer", partition=self.partition, agent=name)
        else:
            self._lacking[name] = lacking
            self._deployment.metrics.errors.labels(lacking.name()).inc()
            _log.warning(
                "waits for a model", partition=self.partition, agent=name, lacks=str(lacking)
            )
        self.tell()

    async def _life(self) -> None:
        self._phase = Phase.ASSIGNED
        member = await self._member
        arrived: Arrived | None = None
        try:
            arrival = Arrival(
                self._deployment,
                self.partition,
                enter=self._enter,
                number=self._on_number,
                progress=self._on_progress,
            )
            arrived = await arrival.arrive()
            await self._run(member, arrived)
        finally:
            self._lease.drop()
            self._enter(Phase.CLOSING)
            if not self._leaving:
                member.pause(*(TopicPartition(one, self.partition) for one in self._inboxes))
            self._inboxes = {}
            self._live = self._models = None
            if arrived is not None:
                try:
                    if self._leaving:
                        await arrived.attempts.leave()
                finally:
                    await arrived.ownership.close()
            self._enter(Phase.CLOSED)
            self.tell()

    async def _run(self, member: Member, arrived: Arrived) -> None:
        deployment = self._deployment
        actions = deployment.actions(self.partition)
        operations = deployment.operations(self.partition)
        at = arrived.tables.write_store.positions().get(operations.topic, Offset(0))
        viewed, written = arrived.documents.position, Reached(at)
        models = ReadModels(
            deployment,
            self.partition,
            Feed(operations, member, viewed),
            Projections(deployment, self.partition, arrived).make,
            written=written,
            row=self._row,
            pause=self._pause,
        )
        live = LivePartition(
            self.partition,
            deployment.log_id,
            deployment.replay,
            arrived.tables,
            Reached(arrived.committed),
            written,
            models.ready,
            models.serving,
            self._end_of_actions,
            derivation=Derivation(deployment.log, operations, models),
        )
        lanes = Lanes(
            deployment,
            arrived,
            live,
            models,
            lease=self._lease,
            flow=member,
            lacks=self._on_lack,
        )
        if self._leaving:
            return
        models.begin(arrived.generation, viewed)
        self._live, self._models, self._inboxes = live, models, lanes.inboxes
        member.seek(actions, arrived.committed)
        member.seek(operations, viewed)
        self._enter(Phase.RUNNING)
        self._error = None
        member.resume(actions, operations)
        self.tell()
        await lanes.run(self._is_leaving)

    async def _end_of_actions(self) -> Offset:
        source = self._deployment.actions(self.partition)
        return (await self._deployment.log.end_offsets([source]))[source]

    def _is_leaving(self) -> bool:
        return self._leaving

    def tell(self) -> None:
        """Publish where the reducer and the read models are."""
        live, error = self._live, self._lacking.get("reducer", self._error)
        row = self._row() | {
            "end_offset": self._ends[0],
            "error": None if error is None else told(error),
            "kind": "reducer",
            "name": "reducer",
            "next_offset": None if live is None else live.consumed.next_offset,
        }
        self._deployment.board.tell(reducer_key(self.partition), row)
        if self._models is None:
            tell_absent(self._deployment, self.partition, self._row())
        else:
            self._models.tell()

    def _row(self) -> dict[str, Any]:
        """What every row of the partition says."""
        return {
            "end_offset": self._ends[1],
            "epoch": self._epoch,
            "error": None if self._error is None else told(self._error),
            "node": self._deployment.node_id,
            "partition": self.partition,
            "progress": self._progress,
            "state": self._phase.name,
            "url": self._deployment.url,
        }

    def _pause(self, inbox: Inbox, kept: Kept) -> Pause:
        def tell(lacking: UnknownModelError | None) -> None:
            kept.failed(lacking)
            self._on_lack(kept.name, lacking)

        return Pause(inbox, self._deployment.registry, tell, random)
