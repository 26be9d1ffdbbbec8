"""Where events come from."""

from __future__ import annotations

from docreactor.pipeline.position import Offset, Partition, Position
from tests.gateway.events.scene import edge, operation, scene
from tests.support.nodes import LOG_ID


async def test_it_knows_every_partition_of_both_topics_and_their_ends() -> None:
    async with scene(partitions=2) as here:
        await here.store(operation("d1"), partition=1)
        await here.relate(edge("d1", "d2"), upto=1)

        ends = await here.ground.ends()

        assert list(ends) == here.ground.sources
        assert [source.partition for source in here.ground.sources] == [0, 1, 0, 1]
        assert list(ends.values()) == [0, 2, 3, 0]
        assert set((await here.ground.starts()).values()) == {0}


async def test_each_topic_has_events_of_its_own() -> None:
    async with scene() as here:
        await here.store(operation("d1"))
        await here.relate(edge("d1", "d2"), upto=1)
        told: list[str] = []
        for source in here.ground.sources:
            stored = here.place.records(source.topic)
            for batch in here.ground.batches(source, Offset(0)).take(stored, Offset(9)):
                told += [notice.event for notice in batch.notices]

    assert told == ["document.updated", "relationship.changed"]


async def test_it_says_whether_reads_show_a_position() -> None:
    async with scene() as here:
        wanted = Position(LOG_ID, {Partition(0): Offset(3)})

        assert not await here.ground.is_shown(wanted, 0.0)
        here.show(3)
        assert await here.ground.is_shown(wanted, 0.0)
