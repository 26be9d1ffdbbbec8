"""The write cache stays within its bounds, and what had to go is built again as it was."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.pipeline.keys import Stream
from docreactor.tables.cache_figures import CacheFigures
from tests.tables.cached import STREAM, Place
from tests.tables.written import home


async def test_the_newest_states_stay_in_the_ring_and_older_ones_are_built_again() -> None:
    place = Place(operations=12, ring_states=3)
    await place.warm_up()
    for state in place.states:
        place.cache.put(STREAM, state)

    for label in (9, 10, 11):
        assert await place.cache.get(STREAM, label) is place.states[label]
    assert place.counts[2] == 0
    assert await place.cache.get(STREAM, 8) == place.states[8]
    assert place.counts[2] == 1


@pytest.mark.parametrize("streams_max", [1, 2])
async def test_the_stream_used_least_recently_goes_with_its_whole_ring(streams_max: int) -> None:
    place = Place(operations=3, streams_max=streams_max)
    others = [Stream("d", f"scope{n}", "main") for n in range(streams_max)]
    for state in place.states:
        place.cache.put(STREAM, state)
    for other in others:
        place.cache.put(other, place.states[0])

    assert place.cache.peek(STREAM) is None
    assert all(place.cache.peek(other) is not None for other in others)
    await place.cache.get(STREAM, 1)
    assert place.counts[1] == 0


async def test_peeking_is_a_use() -> None:
    place = Place(operations=1, streams_max=2)
    first, second, third = (Stream("d", scope, "main") for scope in ("a", "b", "c"))
    place.cache.put(first, place.states[0])
    place.cache.put(second, place.states[0])
    place.cache.peek(first)
    place.cache.put(third, place.states[0])

    assert place.cache.peek(first) is not None
    assert place.cache.peek(second) is None


async def test_a_read_is_a_use_of_the_stream_and_then_of_its_document() -> None:
    place = Place(operations=3)
    others = place.others(2)
    for stream in (STREAM, *others):
        await place.cache.get(stream)
    place.cache.put(STREAM, place.states[2])
    await place.cache.get(others[0])

    assert place.cache.streams()[-2:] == [STREAM, others[0]]


async def test_asking_what_is_cached_is_no_use() -> None:
    place = Place(operations=3)
    other = place.others(1)[0]
    place.cache.put(STREAM, place.states[1])
    place.cache.put(STREAM, place.states[2])
    place.cache.put(other, place.states[0])

    assert place.cache.labels(STREAM) == [1, 2]
    assert place.cache.labels(Stream("never", "global", "main")) == []
    assert place.cache.streams() == [STREAM, other]


async def test_streams_go_whole_when_their_states_are_too_large_together() -> None:
    place = Place(operations=3)
    size = len(place.states[2].content)
    place = Place(operations=3, bytes_max=5 * size)
    others = [Stream("d", f"scope{number}", "main") for number in range(2)]
    for stream in (STREAM, *others):
        for _ in range(2):
            place.cache.put(stream, place.states[2])

    figures = place.cache.figures()
    assert place.cache.streams() == others
    assert figures.state_bytes == 4 * size
    assert figures.evicted == 1


async def test_one_stream_stays_however_large_it_is() -> None:
    place = Place(operations=3, bytes_max=1)
    for state in place.states:
        place.cache.put(STREAM, state)
    assert place.cache.streams() == [STREAM]
    assert place.cache.labels(STREAM) == [0, 1, 2]

    place.cache.put(home("d"), place.written.states[home("d")][-1])
    assert place.cache.streams() == [home("d")]


async def test_what_is_built_is_weighed_too() -> None:
    place = Place(operations=30, bytes_max=1)
    await place.cache.get(STREAM)
    await place.cache.get(home("d"))

    assert place.cache.streams() == [home("d")]
    assert place.cache.figures().evicted == 2


async def test_no_byte_is_lost_or_kept_whatever_happens() -> None:
    place = Place(operations=40, streams_max=4, ring_states=3)
    others = place.others(4)
    for number in range(200):
        stream = [STREAM, *others][number * 7 % 5]
        states = place.written.states[stream]
        match number % 6:
            case 0 | 1:
                place.cache.put(stream, states[-1])
            case 2 | 3:
                await place.cache.get(stream, number * 3 % len(states))
            case 4:
                await place.cache.get(stream)
            case _:
                place.cache.invalidate(stream.document_id, stream.scope, stream.branch)

    assert place.cache.figures().state_bytes > 0
    for stream in place.cache.streams():
        place.cache.invalidate(stream.document_id, stream.scope, stream.branch)
    assert place.cache.figures().state_bytes == 0
    await place.cache.get(STREAM)
    place.cache.clear()
    assert place.cache.figures().state_bytes == 0


async def test_a_head_that_past_states_pushed_out_of_the_ring_is_weighed_still() -> None:
    place = Place(operations=10, ring_states=1)
    await place.warm_up()
    before = place.cache.figures().state_bytes
    place.cache.put(STREAM, place.states[9])
    await place.cache.get(STREAM, 3)

    both = len(place.states[9].content) + len(place.states[3].content)
    assert place.cache.figures().state_bytes == before + both
    place.cache.put(STREAM, place.states[9])
    assert place.cache.figures().state_bytes == before + len(place.states[9].content)


async def test_with_room_for_three_streams_ten_documents_stay_right() -> None:
    place = Place(operations=1, streams_max=3, ring_states=2)
    streams = place.others(10)
    for turn in range(5):
        for stream in streams:
            place.cache.put(stream, place.written.add(stream, 1))
        for stream in streams[turn:] + streams[:turn]:
            states = place.written.states[stream]
            assert await place.cache.get(stream) == states[-1]
            assert await place.cache.get(stream, turn) == states[turn]
            assert len(place.cache.streams()) <= 3


async def test_puts_and_gets_between_one_another_give_what_was_shown() -> None:
    place = Place(operations=150, streams_max=2)
    other = place.others(1)[0]

    async def write() -> None:
        for _ in range(20):
            place.cache.put(STREAM, place.written.add(STREAM, 1))
            place.cache.put(other, place.written.add(other, 1))
            await asyncio.sleep(0)

    async def read(stream: Stream, target: int | None) -> None:
        for _ in range(20):
            head = place.written.operations.head(stream)
            assert head is not None
            wanted = head.next_index - 1 if target is None else target
            assert await place.cache.get(stream, target) == place.written.states[stream][wanted]
            await asyncio.sleep(0)

    reads = [read(STREAM, None), read(STREAM, 120), read(STREAM, 7), read(other, None)]
    await asyncio.gather(write(), *reads)


async def test_scopes_and_branches_are_cached_apart() -> None:
    place = Place(operations=3)
    place.written.create("d", "draft")
    streams = [Stream("d", "local", "main"), Stream("d", "global", "draft")]
    for number, stream in enumerate(streams, 1):
        place.written.add(stream, number)

    for stream in (STREAM, *streams):
        assert await place.cache.get(stream) == place.written.states[stream][-1]
    assert set(streams) < set(place.cache.streams())


async def test_figures_tell_what_was_done_and_what_is_held() -> None:
    place = Place(operations=20, keyframes=[10])
    await place.warm_up()
    await place.cache.get(STREAM)
    await place.cache.get(STREAM)
    place.written.add(STREAM, 1)
    await place.cache.get(STREAM)

    figures = place.cache.figures()
    held = [place.states[19], place.states[20], place.written.states[home("d")][-1]]
    assert figures == CacheFigures(
        hits=1,
        warm=1,
        cold=2,
        keyframes_used=1,
        evicted=0,
        corrupted=0,
        skipped=0,
        streams=2,
        state_bytes=sum(len(state.content) for state in held),
    )
    assert figures.hit_rate == 0.25
