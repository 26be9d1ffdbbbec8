"""What one subscriber has missed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from docreactor.agents.log import TopicPartition
from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.cursor import Cursor
from docreactor.gateway.events.past import Past
from docreactor.pipeline.position import Offset
from tests.gateway.events.scene import Scene, operation, scene
from tests.support.nodes import LOG_ID


@asynccontextmanager
async def past_of(here: Scene, cursor: Cursor) -> AsyncGenerator[Past]:
    past = await Past.open(here.ground, cursor)
    try:
        yield past
    finally:
        await past.close()


def beginning(here: Scene) -> Cursor:
    return Cursor.at(LOG_ID, dict.fromkeys(here.ground.sources, Offset(0)))


async def everything(past: Past) -> list[Batch]:
    found: list[Batch] = []
    while not past.is_done:
        batch = await past.take(1.0)
        assert batch is not None
        found.append(batch)
    return found


async def test_it_brings_every_batch_up_to_the_target_and_says_when_it_is_there() -> None:
    async with scene() as here:
        source = here.ground.sources[0]
        for at in range(3):
            await here.store(operation("d1", index=at))
        here.show_all()
        async with past_of(here, beginning(here)) as past:
            past.aim(beginning(here), {source: Offset(3)})

            found = await everything(past)

    assert [(one.start, one.end, len(one.notices)) for one in found] == [
        (0, 1, 1),
        (2, 3, 1),
        (3, 3, 0),
    ]


async def test_it_goes_on_to_a_further_target_from_where_it_was() -> None:
    async with scene() as here:
        source = here.ground.sources[0]
        cursor = beginning(here)
        for at in range(3):
            await here.store(operation("d1", index=at))
        here.show_all()
        async with past_of(here, cursor) as past:
            past.aim(cursor, {source: Offset(1)})
            (first, _) = await everything(past)
            cursor.pass_by(source, first.end)

            past.aim(cursor, {source: Offset(5)})

            assert [one.end for one in await everything(past)] == [3, 5, 5]


async def test_it_waits_until_reads_show_a_batch() -> None:
    async with scene() as here:
        source = here.ground.sources[0]
        end = await here.store(operation("d1"))
        async with past_of(here, beginning(here)) as past:
            past.aim(beginning(here), {source: Offset(end)})
            assert await past.take(0.0) is None
            assert not past.is_done

            here.show(end)

            batch = await past.take(0.0)
            assert batch is not None
            assert [one.ids for one in batch.notices] == [("d1",)]


async def test_where_only_markers_lie_it_gets_to_the_target_all_the_same() -> None:
    async with scene() as here:
        source = here.ground.sources[0]
        await here.store(operation("d1"))
        cursor = beginning(here)
        cursor.pass_by(source, Offset(1))
        async with past_of(here, cursor) as past:
            past.aim(cursor, {source: Offset(2)})

            (end,) = await everything(past)

    assert (end.source, end.end) == (TopicPartition("test.operations", 0), 2)
