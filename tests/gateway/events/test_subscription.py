"""One subscriber's way through the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from docreactor.agents.log import TopicPartition
from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.cursor import Cursor
from docreactor.gateway.events.parents import Parents
from docreactor.gateway.events.subscription import Ending, Subscription
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.errors import NotYetVisibleError, ReactorError, RestoringError
from docreactor.pipeline.position import Offset, Position
from tests.gateway.events.scene import EVERYTHING, Scene, names, operation, scene, taken
from tests.support.nodes import LOG_ID


class Told:
    """Who tells of what comes: it has told so far, and what it tells is said by hand."""

    def __init__(self, published: Mapping[TopicPartition, Offset]) -> None:
        self.published = dict(published)
        self.attached: list[Subscription] = []

    def attach(self, subscription: Subscription) -> None:
        self.attached.append(subscription)


async def batch_of(here: Scene, *document_ids: str) -> Batch:
    """A batch that is stored and shown, and that nobody tells of."""
    source = here.ground.sources[0]
    start = (await here.ground.ends())[source]
    end = await here.store(*(operation(one) for one in document_ids))
    here.show(end)
    stored = [one for one in here.place.records(source.topic) if one.offset >= start]
    (batch,) = here.ground.batches(source, start).take(stored, Offset(end + 1))
    return batch


def subscription(
    here: Scene, cursor: Cursor, wish: Wish = EVERYTHING, parents: Parents | None = None
) -> Subscription:
    return Subscription(
        wish, cursor, ground=here.ground, parents=parents or here.parents, events_max=4
    )


async def test_whoever_has_missed_nothing_is_attached_at_once() -> None:
    async with scene() as here:
        present = Told(await here.ground.ends())
        one = subscription(here, await here.cursor())

        one.begin(present)

        assert present.attached == [one]


async def test_whoever_has_missed_something_reads_it_and_is_then_attached() -> None:
    async with scene() as here:
        cursor = await here.cursor()
        *_, last = [await batch_of(here, f"d{at}") for at in range(3)]
        present = Told({last.source: last.end})
        one = subscription(here, cursor)
        one.begin(present)
        assert present.attached == []
        try:
            told = names(await taken(one, 3))
            while not present.attached:
                assert await one.take(0.01) == []
            later = await batch_of(here, "later")
            assert one.offer(later, [0])
            told += names(await taken(one, 1))
        finally:
            await one.close()

    assert told == [f"document.updated {one}" for one in ("d0", "d1", "d2", "later")]


async def test_what_lies_before_the_cursor_is_not_told() -> None:
    async with scene() as here:
        batch = await batch_of(here, "d1", "d2", "d3")
        cursor = Cursor.at(LOG_ID, dict.fromkeys(here.ground.sources, Offset(0)))
        cursor.tell(batch, 0)
        one = subscription(here, cursor)
        one.begin(Told(dict.fromkeys(here.ground.sources, Offset(0))))

        assert one.offer(batch, [0, 1, 2])

        assert names(await taken(one, 2)) == ["document.updated d2", "document.updated d3"]
        assert one.offer(batch, [0, 1, 2])
        assert await taken(one, 0) == []


async def test_what_was_put_in_before_an_overflow_is_taken_first() -> None:
    async with scene() as here:
        one = subscription(here, await here.cursor())
        one.begin(Told(await here.ground.ends()))
        several = await batch_of(here, "d1", "d2", "d3")
        assert one.offer(several, [0, 1, 2])

        assert not one.offer(await batch_of(here, "d4", "d5"), [0, 1])

        assert one.ending is None
        assert len(await one.take(0.0)) == 3
        assert one.ending is Ending.OVERFLOW
        assert await one.take(0.0) == []
        assert one.cursor[several.source].done == several.end


@pytest.mark.parametrize("ending", [Ending.STOPPING, Ending.LOST])
async def test_other_ends_come_at_once_and_the_first_stays(ending: Ending) -> None:
    async with scene() as here:
        one = subscription(here, await here.cursor())
        one.begin(Told(await here.ground.ends()))
        assert one.offer(await batch_of(here, "d1"), [0])

        one.end(ending)
        one.end(Ending.OVERFLOW)

        assert one.ending is ending
        assert await one.take(0.0) == []


@pytest.mark.parametrize(
    "late",
    [NotYetVisibleError(wanted="", reached=""), RestoringError(0, state="restoring", progress=0.1)],
)
async def test_events_wait_while_the_graph_cannot_say_whose_children_they_are_of(
    late: ReactorError,
) -> None:
    is_late = True

    async def wait(_: Position, timeout_s: float) -> None:
        if is_late:
            raise late

    def has(parent: str, child: str, types: Sequence[str], branch: str) -> bool:
        return child == "d2"

    async with scene() as here:
        parents = Parents(here.log, here.place.topics.operations, LOG_ID, 1, wait, has)
        wish = Wish(parents=frozenset({"folder"}))
        one = subscription(here, await here.cursor(), wish, parents)
        one.begin(Told(await here.ground.ends()))
        batch = await batch_of(here, "d1", "d2", "d3")
        assert one.offer(batch, [0, 1, 2])
        assert await one.take(0.0) == []
        assert one.cursor[batch.source].done == 0

        is_late = False

        assert names(await taken(one, 1)) == ["document.updated d2"]
        assert one.cursor[batch.source].done == batch.end
