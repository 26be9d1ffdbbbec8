"""One partition's operations, shared out to several inboxes."""

from __future__ import annotations

import asyncio

from docreactor.agents.feed import Feed
from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.log import Fetched, TopicPartition
from docreactor.pipeline.position import Offset
from tests.support.relating import Read

SOURCE = TopicPartition("operations", 0)
MUCH = Room(100, 1_000_000)


class Flow:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pause(self, *sources: TopicPartition) -> None:
        assert sources == (SOURCE,)
        self.told.append("pause")

    def resume(self, *sources: TopicPartition) -> None:
        assert sources == (SOURCE,)
        self.told.append("resume")


def _fetched(first: int, count: int) -> Fetched:
    records = [Read(first + at, b"k", b"v") for at in range(count)]
    return Fetched(records, Offset(first + count))


async def _offsets(inbox: Inbox) -> list[int]:
    fetched = await inbox.take(MUCH, timeout_s=0.0)
    return [] if fetched is None else [record.offset for record in fetched.records]


async def test_every_inbox_that_has_joined_is_given_each_fetch() -> None:
    feed = Feed(SOURCE, Flow(), Offset(0))
    first, second, third = (feed.inbox(MUCH) for _ in range(3))
    feed.join(first)
    feed.offer(_fetched(0, 2))
    feed.join(second)
    feed.offer(_fetched(2, 1))
    assert await _offsets(first) == [0, 1, 2]
    assert await _offsets(second) == [2]
    assert await _offsets(third) == []
    assert feed.position == 3


async def test_what_parts_is_given_nothing_more_and_holds_nothing_back() -> None:
    flow = Flow()
    feed = Feed(SOURCE, flow, Offset(0))
    small = feed.inbox(Room(1, 100))
    feed.join(small)
    feed.offer(_fetched(0, 2))
    assert flow.told == ["pause"]
    feed.part(small)
    feed.part(small)
    assert flow.told == ["pause", "resume"]
    feed.offer(_fetched(2, 1))
    assert await _offsets(small) == []


async def test_the_partition_is_held_back_until_no_inbox_is_full() -> None:
    flow = Flow()
    feed = Feed(SOURCE, flow, Offset(0))
    both = [feed.inbox(Room(2, 1_000)) for _ in range(2)]
    for inbox in both:
        feed.join(inbox)
    feed.offer(_fetched(0, 3))
    assert flow.told == ["pause"]
    assert await _offsets(both[0]) == [0, 1, 2]
    assert flow.told == ["pause"]
    assert await _offsets(both[1]) == [0, 1, 2]
    assert flow.told == ["pause", "resume"]


async def test_closing_wakes_whoever_waits_also_what_comes_later() -> None:
    feed = Feed(SOURCE, Flow(), Offset(0))
    inbox = feed.inbox(MUCH)
    waiting = asyncio.create_task(inbox.take(MUCH, timeout_s=60.0))
    await asyncio.sleep(0)
    assert not feed.is_closed
    feed.close()
    await feed.closed()
    assert await waiting is None
    assert inbox.is_closed and feed.is_closed and feed.inbox(MUCH).is_closed


async def test_one_that_holds_nothing_back_is_offered_no_more_when_it_is_full() -> None:
    flow = Flow()
    feed = Feed(SOURCE, flow, Offset(0))
    slow, quick = feed.inbox(Room(2, 1_000), holds=False), feed.inbox(MUCH)
    for inbox in (slow, quick):
        feed.join(inbox)
    feed.offer(_fetched(0, 2))
    feed.offer(_fetched(2, 2))
    assert flow.told == []
    assert feed.has_overflown(slow)
    assert await _offsets(slow) == [0, 1]
    assert await _offsets(quick) == [0, 1, 2, 3]
    feed.part(slow)
    assert not feed.has_overflown(slow)
    feed.join(slow)
    feed.offer(_fetched(4, 1))
    assert await _offsets(slow) == [4]
