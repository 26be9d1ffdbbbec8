"""One process's agents over one log: it joins the group, runs its partitions, tells the others."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from docreactor.agents.board import Board, reducer_key
from docreactor.agents.clock import Clock, SystemClock
from docreactor.agents.deadline import Deadline
from docreactor.agents.deployment import Deployment
from docreactor.agents.heartbeat import beat
from docreactor.agents.intake import Intake
from docreactor.agents.live import LivePartition
from docreactor.agents.log import Log, Member, TopicPartition
from docreactor.agents.metrics import Metrics
from docreactor.agents.partition import PartitionAgent
from docreactor.agents.phase import Phase
from docreactor.agents.shelf import OpenStore, Shelf
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.errors import (
    LogError,
    MemberIdTakenError,
    RestoringError,
    ShuttingDownError,
)
from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.job import Job
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds
from docreactor.pipeline.topics import Topics

_log = structlog.get_logger(__name__)

_FETCH_COUNT = 8_000
_FETCH_MS = 200
_RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node runs: its tables, its address, its figures and its time."""

    open_store: OpenStore
    url: str
    metrics: Metrics
    clock: Clock
    node_id: str

    @classmethod
    def here(cls, open_store: OpenStore, url: str, metrics: Metrics | None = None) -> Place:
        """This process, with the machine's own clocks."""
        return cls(open_store, url, metrics or Metrics(), SystemClock(), secrets.token_hex(8))


class Node:
    """What the gateway asks. Open it with `open_node`."""

    def __init__(self, deployment: Deployment, tasks: asyncio.TaskGroup) -> None:
        self._deployment = deployment
        self._tasks = tasks
        self._agents: dict[int, PartitionAgent] = {}
        self._was_assigned = False
        self._is_stopping = False
        self._member: asyncio.Future[Member] = asyncio.get_running_loop().create_future()
        self._intake = Intake(deployment, self._consumed)
        clock = deployment.clock
        self._minter = IdMinter(clock.now_ms, secrets.randbits)

    @property
    def settings(self) -> Settings:
        """What the deployment chose."""
        return self._deployment.settings

    @property
    def registry(self) -> Registry:
        """The models that this process runs."""
        return self._deployment.registry

    @property
    def log_id(self) -> str:
        """Which log tokens of this deployment belong to."""
        return self._deployment.log_id

    @property
    def url(self) -> str:
        """What other nodes call this one."""
        return self._deployment.url

    @property
    def node_id(self) -> str:
        """This process among the deployment's."""
        return self._deployment.node_id

    @property
    def metrics(self) -> Metrics:
        """This process's figures."""
        return self._deployment.metrics

    @property
    def partition_count(self) -> int:
        """Partitions of the deployment."""
        return self.settings.partitions

    def partition_of(self, document_id: str) -> int:
        """Who decides this document."""
        return partition_for(document_id, self.partition_count)

    def mint(self) -> str:
        """A new id, greater than every one that this process minted before."""
        return self._minter.mint()

    def now_us(self) -> Microseconds:
        """Wall time."""
        return self._deployment.clock.now_us()

    def local(self, partition: int) -> LivePartition | None:
        """The partition's tables, when it serves here."""
        agent = self._agents.get(partition)
        return None if agent is None else agent.live()

    def owner(self, partition: int) -> str | None:
        """The URL of the node that runs the partition, as far as is known here."""
        row = self._deployment.board.row(reducer_key(partition))
        if row is None or row["state"] == Phase.CLOSED.name:
            return None
        return str(row["url"])

    def restoring(self, partition: int) -> RestoringError:
        """Why nobody answers for the partition at the moment."""
        row = self._deployment.board.row(reducer_key(partition)) or {}
        state = str(row.get("state", "unassigned"))
        return RestoringError(partition, state=state.lower(), progress=row.get("progress"))

    def positions(self) -> list[dict[str, Any]]:
        """One row per reducer and read model of each partition."""
        rows: list[dict[str, Any]] = []
        for prefix in ("reducer/", "view/"):
            for row in self._deployment.board.rows(prefix):
                end, at = row.get("end_offset"), row.get("next_offset")
                lag = None if end is None or at is None else max(0, end - at)
                rows.append(dict(row) | {"lag": lag})
        return sorted(rows, key=lambda row: (row["kind"], row["partition"]))

    def ready(self) -> bool:
        """Whether every partition that is assigned here serves."""
        return self._was_assigned and all(agent.live() for agent in self._agents.values())

    @property
    def is_stopping(self) -> bool:
        """Whether this process takes no job any more: true from the moment that the stop begins."""
        return self._is_stopping

    async def submit(self, job: Job) -> int:
        """Append a job to `actions`; returns its offset once it is acknowledged."""
        self._check_open()
        return await self._intake.submit(job)

    async def submit_together(self, jobs: Sequence[Job]) -> Sequence[int]:
        """Append all these jobs or none; returns their offsets, -1 for an unknown one."""
        self._check_open()
        return await self._intake.submit_together(jobs)

    def stop(self) -> None:
        """Take no job any more: the process is about to end. Idempotent."""
        self._is_stopping = True

    def _check_open(self) -> None:
        if self._is_stopping:
            raise ShuttingDownError

    def _consumed(self, partition: int) -> int | None:
        """How far the partition's reducer is, as far as is known here."""
        live = self.local(partition)
        if live is not None:
            return live.consumed.next_offset
        row = self._deployment.board.row(reducer_key(partition)) or {}
        return row.get("next_offset")

    async def revoked(self, sources: frozenset[TopicPartition]) -> None:
        """Stop serving, finish what is in flight; what does not end in time is cancelled."""
        leaving = [
            self._agents.pop(one)
            for one in {source.partition for source in sources}
            if one in self._agents
        ]
        if not leaving:
            return
        within_s = self.settings.rebalance_timeout_ms / 2000
        departures = [asyncio.create_task(agent.leave()) for agent in leaving]
        _, late = await asyncio.wait(departures, timeout=within_s)
        for task in late:
            task.cancel()
        for agent in leaving:
            agent.cancel()

    async def assigned(self, sources: frozenset[TopicPartition]) -> None:
        """Start a life for each partition, and return."""
        topics = self._deployment.topics
        partitions = frozenset(
            source.partition for source in sources if source.topic == topics.actions
        )
        self._was_assigned = True
        self._deployment.shelf.keep(partitions)
        for partition in sorted(partitions):
            agent = PartitionAgent(self._deployment, partition, self._member)
            self._agents[partition] = agent
            agent.start(self._tasks)

    async def run(self) -> None:
        """Join the group and hand out what it fetches, until cancelled."""
        deployment = self._deployment
        topics = deployment.topics
        await self._intake.open()
        member = await deployment.log.member([topics.actions, topics.operations], self)
        self._member.set_result(member)
        heartbeat = self._tasks.create_task(beat(deployment, self._agents))
        try:
            while True:
                try:
                    fetched = await member.fetch(count_max=_FETCH_COUNT, timeout_ms=_FETCH_MS)
                except MemberIdTakenError:
                    raise
                except LogError as error:
                    _log.warning("fetch failed", detail=str(error))
                    await asyncio.sleep(_RETRY_S)
                    continue
                for source, batch in fetched.items():
                    agent = self._agents.get(source.partition)
                    if agent is not None:
                        agent.offer(source, batch)
        finally:
            heartbeat.cancel()
            sources = frozenset(deployment.actions(one) for one in self._agents)
            await self.revoked(sources)
            await member.close()
            await self._intake.close()


@asynccontextmanager
async def open_node(
    log: Log, registry: Registry, settings: Settings, *, log_id: str, place: Place
) -> AsyncGenerator[Node]:
    """Run the agents for as long as the block lasts.

    What ends a background task ends the block: its error comes out in an ExceptionGroup.
    """
    topics = Topics(settings.app)
    timeout_ms = settings.reducer_timeout_ms
    bound = Bound(Deadline(timeout_ms / 1000), timeout_ms)
    replay = Replay(registry, bound)
    shelf = Shelf(place.open_store, replay, settings)
    place.metrics.caches.watch(shelf.figures)
    board = Board(log, topics)
    deployment = Deployment(
        log=log,
        log_id=log_id,
        settings=settings,
        topics=topics,
        registry=registry,
        replay=replay,
        board=board,
        shelf=shelf,
        metrics=place.metrics,
        bound=bound,
        clock=place.clock,
        url=place.url,
        node_id=place.node_id,
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(board.follow()), tasks.create_task(board.write())]
            node = Node(deployment, tasks)
            running = tasks.create_task(node.run())
            try:
                yield node
            finally:
                node.stop()
                running.cancel()
                await asyncio.wait([running])
                for task in background:
                    task.cancel()
        await board.close()
    finally:
        shelf.close()
