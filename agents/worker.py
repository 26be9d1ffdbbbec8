"""One worker process: a node, and the way to reach it, under Faust's supervision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from docreactor.agents.first_start import has_served, remember_serving
from docreactor.agents.log import Log
from docreactor.agents.log.connection import connection_to
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.metrics import Metrics
from docreactor.agents.node import Node, Place, open_node
from docreactor.agents.part import Part
from docreactor.agents.pause import tell_failures
from docreactor.agents.shell import make_shell, run_shell
from docreactor.agents.topics import check_topics
from docreactor.pipeline.errors import BrokerUnreachableError, LogError, ReactorError
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.tables.rocks import RocksStore

BROKER_WAIT_S = 15.0
READY_POLL_S = 0.02

_log = structlog.get_logger(__name__)


class Front(Protocol):
    """How the worker is reached: the gateway's part of it."""

    @property
    def url(self) -> str:
        """What other nodes call this one."""
        ...

    def serving(self) -> AbstractAsyncContextManager[None]:
        """Answers while the block runs: 503 with the reason until a node is open."""
        ...

    def opened(self, node: Node) -> AbstractAsyncContextManager[None]:
        """Lets callers in to the node while the block runs."""
        ...

    def tell(self, reason: ReactorError) -> None:
        """Why there is no node yet."""
        ...


@dataclass(frozen=True, slots=True)
class Worker:
    """What one process runs. `home` is its own directory: nobody else's tables lie there."""

    settings: Settings
    registry: Registry
    home: Path
    bootstrap_servers: str
    front: Front
    announce: Callable[[], None]
    """Called once, when the node is ready."""
    is_gateway_only: bool = False
    """Whether it joins no group, and answers by asking others."""

    async def run(self) -> None:
        """Run until SIGINT or SIGTERM, or until something fails, which is raised."""
        metrics = Metrics()
        shell = make_shell(
            self.settings,
            connection_to(self.bootstrap_servers, self.settings),
            home=self.home,
            registry=metrics.registry,
            parts=(Part("http", self.front.serving), Part("node", lambda: self._node(metrics))),
        )
        await run_shell(shell, stall_max_s=self.settings.loop_stall_max_ms / 1_000)

    @asynccontextmanager
    async def _node(self, metrics: Metrics) -> AsyncGenerator[None]:
        tell_failures(self.registry, {})
        place = Place.here(self._open_store, self.front.url, metrics)
        async with self._connected() as log:
            log_id = await check_topics(log, self.settings)
            async with (
                open_node(
                    log,
                    self.registry,
                    self.settings,
                    log_id=log_id,
                    place=place,
                    is_gateway_only=self.is_gateway_only,
                ) as node,
                self.front.opened(node),
                asyncio.TaskGroup() as tasks,
            ):
                watch = tasks.create_task(self._await_ready(node))
                try:
                    yield
                finally:
                    watch.cancel()

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Log]:
        """The log. A first start gives up after a while; a later one waits, and says so."""
        self.front.tell(
            LogError(f"waiting for Kafka at {self.bootstrap_servers}: try again shortly")
        )
        async with AsyncExitStack() as stack:
            while True:
                attempt = open_kafka(self.settings, self.bootstrap_servers, wait_s=BROKER_WAIT_S)
                try:
                    log = await stack.enter_async_context(attempt)
                except BrokerUnreachableError as error:
                    if not has_served(self.home, self.bootstrap_servers):
                        raise
                    self.front.tell(error)
                    _log.warning("waiting for the broker", exc_info=error)
                else:
                    break
            yield log

    def _open_store(self, name: str) -> RocksStore:
        return RocksStore.open(self.home / "tables" / name)

    async def _await_ready(self, node: Node) -> None:
        while not node.ready():  # noqa: ASYNC110  readiness is asked, never told
            await asyncio.sleep(READY_POLL_S)
        remember_serving(self.home, self.bootstrap_servers)
        self.announce()
