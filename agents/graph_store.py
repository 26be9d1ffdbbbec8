"""Where one node keeps its graph, and who follows the topic for it."""

from __future__ import annotations

import asyncio

from docreactor.agents.board import Board
from docreactor.agents.clock import Clock
from docreactor.agents.graph_follower import GraphFollower
from docreactor.agents.log import Log
from docreactor.agents.shelf import OpenStore
from docreactor.pipeline.errors import StoreLockedError
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics
from docreactor.tables.graph import GraphTable
from docreactor.tables.store import Store

_NAME = "graph"
_LOCK_WAITS_S = (0.1, 0.2, 0.5, 1.0, 2.0)


async def open_graph_store(open_store: OpenStore) -> Store:
    """The store, as soon as a process that is just ending has let go of it. StoreLocked."""
    for wait_s in _LOCK_WAITS_S:
        try:
            return open_store(_NAME)
        except StoreLockedError:
            await asyncio.sleep(wait_s)
    return open_store(_NAME)


def follow_graph(
    log: Log, board: Board, store: Store, settings: Settings, log_id: str, clock: Clock
) -> GraphFollower:
    """The follower over that store; it runs when it is told to."""
    table = GraphTable(
        store,
        partition_count=settings.partitions,
        documents_max=settings.graph_documents_max,
    )
    topics = Topics(settings.app)
    return GraphFollower(log, topics, table, board, settings, log_id=log_id, now_ms=clock.now_ms)
