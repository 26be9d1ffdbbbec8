"""What has been fetched and not yet been worked on."""

import asyncio
from dataclasses import dataclass

from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.log import Fetched, TopicPartition
from docreactor.pipeline.position import Offset

SOURCE = TopicPartition("t", 0)


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 0


class _Flow:
    """Notes what was paused; it stands where the group's member would."""

    def __init__(self) -> None:
        self.paused: set[TopicPartition] = set()

    def pause(self, *sources: TopicPartition) -> None:
        self.paused |= set(sources)

    def resume(self, *sources: TopicPartition) -> None:
        self.paused -= set(sources)


def _fetched(
    first: int, count: int, next_offset: int | None = None, *, value: bytes | None = None
) -> Fetched:
    records = [_Record(offset, value=value) for offset in range(first, first + count)]
    return Fetched(records, Offset(first + count if next_offset is None else next_offset))


async def test_batches_are_joined_in_order_up_to_the_bound() -> None:
    inbox = Inbox(SOURCE, _Flow(), Room(100, 10_000))
    inbox.offer(_fetched(0, 3))
    inbox.offer(_fetched(3, 3))
    taken = await inbox.take(Room(5, 10_000), timeout_s=1.0)
    assert taken is not None
    assert [record.offset for record in taken.records] == [0, 1, 2, 3, 4]
    assert taken.next_offset == 5
    rest = await inbox.take(Room(5, 10_000), timeout_s=1.0)
    assert rest is not None
    assert [record.offset for record in rest.records] == [5]
    assert rest.next_offset == 6


async def test_a_position_that_moved_over_a_marker_alone_is_told() -> None:
    inbox = Inbox(SOURCE, _Flow(), Room(100, 10_000))
    inbox.offer(_fetched(0, 2, next_offset=3))
    inbox.offer(Fetched((), Offset(4)))
    taken = await inbox.take(Room(10, 10_000), timeout_s=1.0)
    assert taken is not None
    assert taken.next_offset == 4


async def test_an_empty_inbox_answers_after_the_timeout() -> None:
    assert (
        await Inbox(SOURCE, _Flow(), Room(1, 10_000)).take(Room(1, 10_000), timeout_s=0.01) is None
    )


async def test_over_its_bound_it_pauses_and_under_half_of_it_resumes() -> None:
    flow = _Flow()
    inbox = Inbox(SOURCE, flow, Room(4, 10_000))
    inbox.offer(_fetched(0, 4))
    assert flow.paused == {SOURCE}
    await inbox.take(Room(2, 10_000), timeout_s=1.0)
    assert flow.paused == {SOURCE}
    await inbox.take(Room(1, 10_000), timeout_s=1.0)
    assert flow.paused == set()


async def test_a_closed_inbox_wakes_who_waits() -> None:
    inbox = Inbox(SOURCE, _Flow(), Room(1, 10_000))
    inbox.close()
    assert await inbox.take(Room(1, 10_000), timeout_s=60.0) is None


async def test_whoever_waits_for_its_end_learns_of_it() -> None:
    inbox = Inbox(SOURCE, _Flow(), Room(100, 10_000))
    assert not await inbox.closed(0.0)
    waiting = asyncio.create_task(inbox.closed(10.0))
    await asyncio.sleep(0)
    inbox.close()
    assert await waiting
    assert await inbox.closed(0.0)


async def test_a_batch_ends_where_its_bytes_end() -> None:
    inbox = Inbox(SOURCE, _Flow(), Room(100, 10_000))
    inbox.offer(_fetched(0, 3, value=b"x" * 40))
    inbox.offer(_fetched(3, 3, value=b"x" * 40))
    taken = await inbox.take(Room(100, 170), timeout_s=1.0)
    assert taken is not None
    assert [record.offset for record in taken.records] == [0, 1, 2, 3]
    assert taken.next_offset == 4


async def test_a_record_that_is_larger_than_the_room_is_taken_alone() -> None:
    inbox = Inbox(SOURCE, _Flow(), Room(100, 10_000))
    inbox.offer(_fetched(0, 2, value=b"x" * 500))
    for offset in (0, 1):
        taken = await inbox.take(Room(100, 10), timeout_s=1.0)
        assert taken is not None
        assert [record.offset for record in taken.records] == [offset]


async def test_over_its_bytes_it_pauses_too() -> None:
    flow = _Flow()
    inbox = Inbox(SOURCE, flow, Room(100, 1_000))
    inbox.offer(_fetched(0, 3, value=b"x" * 400))
    assert flow.paused == {SOURCE}
    await inbox.take(Room(2, 10_000), timeout_s=1.0)
    assert flow.paused == set()


async def test_whoever_waits_can_be_woken_without_a_record() -> None:
    inbox = Inbox(SOURCE, _Flow(), Room(100, 10_000))
    waiting = asyncio.create_task(inbox.take(Room(5, 10_000), timeout_s=60.0))
    await asyncio.sleep(0)
    inbox.wake()
    async with asyncio.timeout(10):
        assert await waiting is None
    inbox.offer(_fetched(0, 1))
    assert await inbox.take(Room(5, 10_000), timeout_s=0.0) is not None
