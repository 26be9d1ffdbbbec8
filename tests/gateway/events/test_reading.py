"""The hub's reading of the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.reading import Lane, Reading
from docreactor.gateway.events.subscription import Subscription
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset
from tests.gateway.events.scene import EVERYTHING, Scene, names, operation, scene, taken
from tests.support.nodes import until


@asynccontextmanager
async def reading(here: Scene) -> AsyncGenerator[Reading]:
    ends = await here.ground.ends()
    one = Reading(here.ground, await here.log.reader(ends), ends, held_max=10)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(one.run())
        yield one
        running.cancel()


async def subscribed(here: Scene, to: Reading, wish: Wish = EVERYTHING) -> Subscription:
    one = Subscription(
        wish, await here.cursor(), ground=here.ground, parents=here.parents, events_max=10
    )
    one.begin(to)
    return one


async def test_everybody_who_is_attached_is_told_and_nobody_else() -> None:
    async with scene() as here, reading(here) as one:
        here.show_all()
        first, second = [await subscribed(here, one) for _ in range(2)]
        other = await subscribed(here, one, Wish(ids=frozenset({"d2"})))
        await here.store(operation("d1"))
        assert names(await taken(first, 1)) == ["document.updated d1"]

        one.detach(first)
        one.detach(first)
        await here.store(operation("d2"))

        assert names(await taken(second, 2)) == ["document.updated d1", "document.updated d2"]
        assert names(await taken(other, 1)) == ["document.updated d2"]
        assert names(await taken(first, 0)) == []


async def test_it_says_up_to_where_it_has_told() -> None:
    async with scene() as here, reading(here) as one:
        source = here.ground.sources[0]
        end = await here.store(operation("d1"))
        assert one.published[source] == 0

        here.show(end)

        await until(lambda: one.published[source] == end)


async def test_what_stands_at_the_end_without_a_marker_is_told_too() -> None:
    async with scene() as here, reading(here) as one:
        here.show_all()
        subscription = await subscribed(here, one)
        await here.place.write(here.place.topics.operations, operation("d1"), operation("d2"))

        assert names(await taken(subscription, 2)) == ["document.updated d1", "document.updated d2"]


async def test_it_ends_when_the_log_cannot_be_read() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with scene() as here, reading(here):
            await here.log.break_readers()
            await asyncio.Event().wait()

    assert raised.group_contains(LogError)


async def test_a_lane_holds_so_many_events_and_knows_where_it_has_lost_some() -> None:
    async with scene() as here:
        source = here.ground.sources[0]
        for at in range(3):
            await here.store(operation(f"d{at}"), operation(f"e{at}"))
        batches: list[Batch] = []
        found = here.ground.batches(source, Offset(0))
        batches += found.take(here.place.records(source.topic), Offset(9))
        lane = Lane(here.ground.batches(source, Offset(0)))

        for batch in batches:
            lane.hold(batch, 4)

        assert list(lane.held) == batches[:2]
        assert lane.lost_from == batches[2].start == 6
        assert lane.release() is batches[0]
        assert lane.events == 2


async def test_a_batch_that_is_too_large_is_held_alone() -> None:
    async with scene() as here:
        source = here.ground.sources[0]
        await here.store(*(operation(f"d{at}") for at in range(9)))
        (batch,) = here.ground.batches(source, Offset(0)).take(
            here.place.records(source.topic), Offset(10)
        )
        lane = Lane(here.ground.batches(source, Offset(0)))

        lane.hold(batch, 4)

    assert lane.lost_from is None
    assert lane.release() is batch
