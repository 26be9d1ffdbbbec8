"""The agents of a worker inside this process, without HTTP: nothing but the reactor is timed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from docreactor.agents.node import Node, Place, open_node
from docreactor.bench.stage import READY_TIMEOUT_S, Stage
from docreactor.pipeline.errors import RestoringError
from docreactor.pipeline.registry import load
from docreactor.tables.rocks import RocksStore

_POLL_S = 0.05


@asynccontextmanager
async def open_inside(stage: Stage, model: str, *, tables: Path) -> AsyncIterator[Node]:
    """A node over these tables, from when it serves until the block ends."""
    stage.say("Starting the agents in this process")
    async with _open(stage, model, tables, is_gateway_only=False) as node:
        yield node


@asynccontextmanager
async def open_gateway(stage: Stage, model: str) -> AsyncIterator[Node]:
    """A node that runs no partition, from when it knows the others until the block ends."""
    async with _open(stage, model, stage.settings.data / "gateway", is_gateway_only=True) as node:
        yield node


@asynccontextmanager
async def _open(
    stage: Stage, model: str, tables: Path, *, is_gateway_only: bool
) -> AsyncIterator[Node]:
    place = Place.here(lambda name: RocksStore.open(tables / name), "http://127.0.0.1")
    async with open_node(
        stage.log,
        load([model]),
        stage.settings,
        log_id=stage.log_id,
        place=place,
        is_gateway_only=is_gateway_only,
    ) as node:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                while not node.ready():  # noqa: ASYNC110  nobody tells when a node is ready
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise _unready(node) from None
        yield node


def _unready(node: Node) -> RestoringError:
    lacking = (one for one in range(node.partition_count) if node.local(one) is None)
    return node.restoring(next(lacking, 0))
