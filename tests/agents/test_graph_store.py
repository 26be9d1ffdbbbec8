"""Where one node keeps its graph."""

from __future__ import annotations

import pytest

from docreactor.agents.graph_store import open_graph_store
from docreactor.pipeline.errors import StoreLockedError
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import Store


async def test_a_store_that_a_dying_process_holds_is_had_when_that_has_let_go() -> None:
    refusals = 2

    def open_store(name: str) -> Store:
        nonlocal refusals
        assert name == "graph"
        if refusals:
            refusals -= 1
            raise StoreLockedError(name)
        return MemoryStore()

    assert isinstance(await open_graph_store(open_store), MemoryStore)
    assert refusals == 0


async def test_a_store_that_somebody_else_keeps_is_refused_by_name() -> None:
    def open_store(name: str) -> Store:
        raise StoreLockedError(name)

    with pytest.raises(StoreLockedError, match="graph"):
        await open_graph_store(open_store)
