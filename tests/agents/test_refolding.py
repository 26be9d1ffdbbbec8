"""Edges that are told anew, once for each generation of them that is wanted."""

from __future__ import annotations

import asyncio
import time

import pytest

from docreactor.agents.log import Entry
from docreactor.pipeline.errors import FencedError
from tests.support.nodes import site, until
from tests.support.troubled import (
    GHOST,
    Fencing,
    Trouble,
    epoch_of,
    has_ghost,
    haunted,
    row_of,
    written,
)


async def test_edges_that_were_being_told_anew_are_told_by_the_next_life() -> None:
    place, trouble = site(), Trouble()
    await haunted(place)
    async with place.node(trouble) as node:
        epoch = epoch_of(node)
        trouble.is_on = True
        node.coordinator.rebuild("relationships")
        await until(lambda: epoch_of(node) > epoch)
        trouble.is_on = False
        await until(lambda: not has_ghost(node))
        await until(lambda: row_of(node, "relationships", 1).get("caught_up"))
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 3.0


async def test_edges_that_were_being_told_anew_are_told_by_the_next_process() -> None:
    place, trouble = site(), Trouble()
    await haunted(place)
    async with place.node(trouble) as node:
        trouble.is_on = True
        node.coordinator.rebuild("relationships")
        await until(lambda: row_of(node, "relationships", 1))
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 3.0
    async with place.node() as node:
        await until(lambda: not has_ghost(node))
        await until(lambda: row_of(node, "relationships", 1).get("caught_up"))
    async with place.node() as node:
        # They are told once: what they say now is what the operations say.
        await place.write(place.topics.relationships, Entry(GHOST.key, GHOST.encode()))
        await until(lambda: has_ghost(node) and row_of(node, "relationships", 1).get("caught_up"))
        await written(place, node, "d2", 1)
        assert has_ghost(node)


async def test_a_process_that_was_fenced_while_it_tells_edges_anew_ends() -> None:
    place, trouble = site(), Fencing()
    await haunted(place)
    with pytest.raises(ExceptionGroup) as caught:
        async with place.node(trouble) as node:
            trouble.place = place
            node.coordinator.rebuild("relationships")
            async with asyncio.timeout(10.0):
                await asyncio.get_running_loop().create_future()
    assert caught.value.subgroup(FencedError) is not None
