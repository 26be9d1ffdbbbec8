"""One process's agents over one log: it joins the group, runs its partitions, tells the others."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from docreactor.agents.background import Background
from docreactor.agents.board import Board, reducer_key
from docreactor.agents.clock import Clock, SystemClock
from docreactor.agents.coordinator import Coordinator
from docreactor.agents.deadline import Deadline
from docreactor.agents.deployment import Deployment
from docreactor.agents.graph_follower import GraphFollower
from docreactor.agents.graph_store import follow_graph, open_graph_store
from docreactor.agents.intake import Intake
from docreactor.agents.live import LivePartition
from docreactor.agents.log import Log
from docreactor.agents.membership import Membership
from docreactor.agents.metrics import Metrics
from docreactor.agents.phase import Phase
from docreactor.agents.shelf import OpenStore, Shelf
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.errors import (
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

    def __init__(
        self, deployment: Deployment, tasks: asyncio.TaskGroup, *, is_gateway_only: bool
    ) -> None:
        self._deployment = deployment
        self._is_gateway_only = is_gateway_only
        self.membership = Membership(deployment, tasks)
        """This process among the workers."""
        self._is_connected = False
        self._is_stopping = False
        self._intake = Intake(deployment, self._consumed)
        clock = deployment.clock
        self._minter = IdMinter(clock.now_ms, secrets.randbits)

    @property
    def settings(self) -> Settings:
        """What the deployment chose."""
        return self._deployment.settings

    @property
    def log(self) -> Log:
        """What everything is read from."""
        return self._deployment.log

    @property
    def topics(self) -> Topics:
        """The names of the deployment's topics."""
        return self._deployment.topics

    @property
    def graph(self) -> GraphFollower:
        """The edges of every partition, as this node shows them."""
        return self._deployment.graph

    @property
    def coordinator(self) -> Coordinator:
        """How far the deployment's read models are."""
        return self._deployment.coordinator

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
        agent = self.membership.agents.get(partition)
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
        return sorted(rows, key=lambda row: (row["kind"], row["name"], row["partition"]))

    def ready(self) -> bool:
        """Whether every partition that is assigned here serves; a gateway alone has none."""
        if self._is_gateway_only:
            return self._is_connected and self.graph.is_ready
        return self.membership.is_ready() and self.graph.is_ready

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

    async def run(self) -> None:
        """Take part in the deployment, until cancelled."""
        deployment = self._deployment
        await self._intake.open()
        try:
            await deployment.board.catch_up()
            self._is_connected = True
            if self._is_gateway_only:
                await asyncio.get_running_loop().create_future()
            deployment.declare()
            await self.membership.run()
        finally:
            self._is_connected = False
            await self._intake.close()


@asynccontextmanager
async def open_node(
    log: Log,
    registry: Registry,
    settings: Settings,
    *,
    log_id: str,
    place: Place,
    is_gateway_only: bool = False,
) -> AsyncGenerator[Node]:
    """Run the agents for as long as the block lasts; a gateway alone runs none.

    What ends a background task ends the block: its error comes out in an ExceptionGroup.
    """
    board = Board(log, Topics(settings.app))
    graph_store = await open_graph_store(place.open_store)
    graph = follow_graph(log, board, graph_store, settings, log_id, place.clock)
    tasks = asyncio.TaskGroup()
    deployment = _deployment(log, registry, settings, log_id, place, board, graph)
    try:
        async with tasks:
            background = [
                tasks.create_task(work) for work in (board.follow(), board.write(), graph.run())
            ]
            node = Node(deployment, tasks, is_gateway_only=is_gateway_only)
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
        deployment.shelf.close()
        graph_store.close()


def _deployment(
    log: Log,
    registry: Registry,
    settings: Settings,
    log_id: str,
    place: Place,
    board: Board,
    graph: GraphFollower,
) -> Deployment:
    timeout_ms = settings.reducer_timeout_ms
    bound = Bound(Deadline(timeout_ms / 1000), timeout_ms)
    replay = Replay(registry, bound)
    shelf = Shelf(place.open_store, replay, settings)
    place.metrics.caches.watch(shelf.figures)
    return Deployment(
        log=log,
        log_id=log_id,
        settings=settings,
        topics=Topics(settings.app),
        registry=registry,
        replay=replay,
        board=board,
        coordinator=Coordinator(board, log_id, settings.partitions),
        graph=graph,
        shelf=shelf,
        metrics=place.metrics,
        bound=bound,
        clock=place.clock,
        url=place.url,
        node_id=place.node_id,
        gentle=Background(),
    )
