"""What a lane is asked to do between two batches, whatever becomes of the lane."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import random

import pytest

from docreactor.agents.background import Background
from docreactor.agents.feed import Feed
from docreactor.agents.inbox import Room
from docreactor.agents.kept import Kept
from docreactor.agents.log import TopicPartition
from docreactor.agents.node import Node
from docreactor.agents.pause import LeftError, Pause
from docreactor.agents.table_lane import TableLane, Tempo
from docreactor.pipeline.errors import FencedError, RestoringError, StoreFailedError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.registry import Registry
from docreactor.tables.store import StoreIdentity
from docreactor.tables.wait import Reached
from tests.agents.test_read_models import Sick
from tests.support.ledger import ledger
from tests.support.nodes import LOG_ID, done, live, site, until
from tests.support.projecting import Nothing
from tests.support.tally import TALLY, add, creation, release, tally_site, upgrade, waits
from tests.support.troubled import ADD, COUNTS, Counts, Fencing, Slow, haunted

SOON_S = 3.0


class Still:
    """A flow that nothing comes from."""

    def pause(self, *sources: TopicPartition) -> None:
        return None

    def resume(self, *sources: TopicPartition) -> None:
        return None


@asynccontextmanager
async def _lane(projection: Nothing) -> AsyncIterator[TableLane]:
    place = site()
    feed = Feed(place.source(place.topics.operations), Still(), Offset(0))
    kept = Kept(projection.name, 0, projection)
    lane = TableLane(
        place.log(),
        feed,
        projection,
        Room(10, 1_000),
        start=Offset(0),
        stored=Reached(),
        reached=kept.reached,
        tempo=Tempo(Room(5, 500), Background(), lambda: False, holds=True),
        watch=kept,
        pause=lambda inbox: Pause(inbox, Registry([ledger]), lambda _: None, random),
    )
    running = asyncio.create_task(lane.run())
    try:
        yield lane
    finally:
        feed.close()
        await asyncio.wait([running])


def _is_there(node: Node, name: str) -> bool:
    return any(row["name"] == name and row.get("caught_up") for row in node.positions())


async def test_who_asked_a_lane_that_leaves_amid_it_is_told_that_it_is_gone() -> None:
    async def left() -> None:
        raise LeftError

    async with _lane(Nothing()) as lane:
        with pytest.raises(RestoringError):
            await lane.ask(left)
        with pytest.raises(RestoringError):
            await lane.ask(left)


async def test_who_asked_for_what_the_disk_refuses_is_told_so_and_the_lane_opens_again() -> None:
    projection = Nothing()

    async def refused() -> None:
        raise OSError("no space left")

    async def fine() -> int:
        return 7

    async with _lane(projection) as lane:
        with pytest.raises(StoreFailedError, match="no space left"):
            await lane.ask(refused)
        await until(lambda: projection.opened == 2)
        assert await lane.ask(fine) == 7


async def test_nobody_waits_for_a_lane_that_is_held_up() -> None:
    place = site()
    sick = place.stores["0/models/counts-0"] = Sick()
    async with place.node(registry=Registry([ledger, Counts()])) as node:
        await done(node, place.creation("d1"))
        await until(lambda: COUNTS in node.coordinator.required)
        sick.is_full = True
        await node.submit(place.job("d1", [(ADD, {"amount": 1})]))
        await until(lambda: live(node).serving(COUNTS, None).error)
        with pytest.raises(RestoringError, match="no space left"):
            async with asyncio.timeout(SOON_S):
                await live(node).derived().retry(COUNTS, "d1")
        sick.is_full = False
        await until(lambda: live(node).serving(COUNTS, None).error is None)
        await live(node).derived().retry(COUNTS, "d1")


async def test_what_is_asked_of_a_lane_that_lacks_a_model_is_done() -> None:
    place = tally_site()
    old, new = place.disk("old"), place.disk("new")
    async with place.node(open_store=old) as node:
        await done(node, creation(place, "d1"))
        await done(node, creation(place, "d2"))
    place.models = (release(2),)
    async with place.node(open_store=new) as node:
        await done(node, upgrade(place, "d1"))
        await done(node, add(place, "d1", 2))
    place.models = (release(1),)
    async with place.node(open_store=old) as node:
        await waits(node, "documents", f"model {TALLY} version 2")
        async with asyncio.timeout(SOON_S):
            await live(node).derived().retry("documents", "d2")


async def test_a_process_that_was_fenced_while_it_did_what_was_asked_ends() -> None:
    place, fencing = site(), Fencing()
    await haunted(place)
    with pytest.raises(ExceptionGroup) as caught:
        async with place.node(fencing) as node, asyncio.timeout(SOON_S):
            await until(lambda: _is_there(node, "relationships"))
            fencing.place = place
            with pytest.raises(FencedError):
                await live(node).derived().retry("relationships", "d1")
            await asyncio.get_running_loop().create_future()
    assert caught.value.subgroup(FencedError) is not None


async def test_rows_that_are_lost_after_they_were_shown_are_not_answered_from() -> None:
    place, slow = site(), Slow()
    sick = place.stores["0/models/counts-0"] = Sick()
    async with place.node(registry=Registry([ledger, slow])) as node:
        await done(node, place.creation("d1"))
        await until(lambda: COUNTS in node.coordinator.required)
        written = live(node).operations_position()
        await live(node).wait_of(COUNTS, written, 10.0)
        slow.gate.clear()
        slow.entered.clear()
        # What tombstones were for is forgotten, or a file is lost.
        sick.is_full = True
        sick.begin(StoreIdentity(LOG_ID, 99))
        await node.submit(place.job("d1", [(ADD, {"amount": 1})]))
        slow.gate.set()
        await until(lambda: sick.refused)
        slow.gate.clear()
        slow.entered.clear()
        sick.is_full = False
        await slow.entered.wait()
        with pytest.raises(RestoringError):
            await live(node).wait_of(COUNTS, written, 0.0)
        slow.gate.set()
        await until(lambda: node.local(0))
        await until(lambda: live(node).ready.next_offset >= live(node).written.next_offset)
