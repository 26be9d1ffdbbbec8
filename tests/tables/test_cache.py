"""The write cache hands out the state that was shown, from wherever it is nearest."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.settings import Settings
from docreactor.tables.cache import WriteCache
from docreactor.tables.operations import OperationsTable
from docreactor.tables.store import Row
from tests.tables.cached import STREAM, Place
from tests.tables.written import Written


async def test_nothing_is_cached_at_first() -> None:
    place = Place(operations=3)

    assert place.cache.peek(STREAM) is None
    assert place.counts == (0, 0, 0, 0)


async def test_a_cold_read_builds_the_head_and_the_next_one_finds_it() -> None:
    place = Place(operations=5)
    await place.warm_up()

    assert await place.cache.get(STREAM) == place.states[4]
    assert place.counts == (0, 0, 1, 0)
    assert place.cache.peek(STREAM) == place.states[4]
    assert await place.cache.get(STREAM) == place.states[4]
    assert place.counts == (2, 0, 1, 0)
    assert place.replay.applied == [0, 1, 2, 3, 4]


async def test_what_was_put_is_the_head() -> None:
    place = Place(operations=5)
    place.cache.put(STREAM, place.states[4])

    assert place.cache.peek(STREAM) is place.states[4]
    assert await place.cache.get(STREAM) is place.states[4]
    assert place.counts == (2, 0, 0, 0)


async def test_the_newest_is_known_with_the_head_that_was_put() -> None:
    place = Place(operations=5)
    head = place.written.operations.head(STREAM)
    assert head is not None
    assert place.cache.newest(STREAM) is None

    place.cache.put(STREAM, place.states[4], head)

    assert place.cache.newest(STREAM) == (head, place.states[4])
    assert place.cache.peek(STREAM) is place.states[4]
    assert place.counts == (2, 0, 0, 0)


async def test_a_state_put_without_its_head_makes_the_newest_unknown() -> None:
    place = Place(operations=5)
    place.cache.put(STREAM, place.states[3], place.written.operations.head(STREAM))
    place.cache.put(STREAM, place.states[4])

    assert place.cache.newest(STREAM) is None
    assert place.cache.peek(STREAM) is place.states[4]


async def test_a_built_head_is_known_as_the_newest_and_a_past_revision_is_not() -> None:
    place = Place(operations=5)
    await place.cache.get(STREAM, 2)
    assert place.cache.newest(STREAM) is None

    await place.cache.get(STREAM)
    assert place.cache.newest(STREAM) == (place.written.operations.head(STREAM), place.states[4])


@pytest.mark.parametrize("scope", [None, "global"])
async def test_the_newest_is_forgotten_with_its_stream(scope: str | None) -> None:
    place = Place(operations=5)
    head = place.written.operations.head(STREAM)
    place.cache.put(STREAM, place.states[4], head)
    place.cache.invalidate("d", scope, scope and "main")
    assert place.cache.newest(STREAM) is None

    place.cache.put(STREAM, place.states[4], head)
    place.cache.clear()
    assert place.cache.newest(STREAM) is None


async def test_what_was_put_may_be_ahead_of_its_row() -> None:
    place = Place(operations=5)
    place.cache.put(STREAM, place.states[4]._replace(label=5))

    assert (await place.cache.get(STREAM)).label == 5
    assert (await place.cache.get(STREAM, 5)).label == 5


async def test_a_revision_in_the_ring_is_a_hit() -> None:
    place = Place(operations=5)
    for state in place.states:
        place.cache.put(STREAM, state)

    assert await place.cache.get(STREAM, 2) is place.states[2]
    assert place.counts == (1, 0, 0, 0)


async def test_a_revision_after_a_cached_one_is_built_from_there() -> None:
    place = Place(operations=20)
    await place.warm_up()
    await place.cache.get(STREAM, 9)
    place.replay.applied.clear()

    assert await place.cache.get(STREAM, 12) == place.states[12]
    assert place.replay.applied == [10, 11, 12]
    assert place.counts[1] == 1


async def test_with_a_past_revision_cached_the_head_is_built_from_there_and_kept_as_head() -> None:
    place = Place(operations=20)
    await place.warm_up()
    await place.cache.get(STREAM, 9)
    assert place.cache.peek(STREAM) is None

    assert await place.cache.get(STREAM) == place.states[19]
    assert place.counts[1] == 1
    assert place.cache.peek(STREAM) == place.states[19]


async def test_a_past_revision_before_everything_cached_is_built_cold() -> None:
    place = Place(operations=20)
    await place.warm_up()
    place.cache.put(STREAM, place.states[19])

    assert await place.cache.get(STREAM, 3) == place.states[3]
    assert place.counts[2] == 1
    assert place.cache.peek(STREAM) is place.states[19]


async def test_a_head_that_moved_without_being_put_is_built_forward() -> None:
    place = Place(operations=5)
    await place.warm_up()
    await place.cache.get(STREAM)
    place.written.add(STREAM, 2)

    assert await place.cache.get(STREAM) == place.states[6]
    assert place.counts[1] == 1


async def test_a_cold_read_uses_the_nearest_keyframe_at_the_head_too() -> None:
    place = Place(operations=50, keyframes=[10, 20, 30, 40])
    await place.warm_up()

    assert await place.cache.get(STREAM, 37) == place.states[37]
    assert place.replay.applied == list(range(31, 38))
    assert await place.cache.get(STREAM) == place.states[49]
    assert place.replay.applied[7:] == list(range(41, 50))
    assert place.counts[2:] == (2, 2)


async def test_under_the_fixed_policy_keyframes_lie_at_every_tenth_and_47_is_built_from_40() -> (
    None
):
    place = Place(operations=60, settings=Settings(keyframe_policy="fixed"))
    stage = place.keyframes.stage()
    for state in place.states:
        if place.keyframes.due(state.label, -1, 1, 1):
            stage.add(STREAM, state.label, place.written.keyframe(STREAM, state.label))
    stage.publish()
    await place.warm_up()

    assert list(place.keyframes.labels(STREAM)) == [50, 40, 30, 20, 10]
    assert await place.cache.get(STREAM, 47) == place.states[47]
    assert place.replay.applied == list(range(41, 48))


async def test_a_keyframe_that_does_not_fit_is_skipped_counted_and_what_was_put_stays() -> None:
    place = Place(operations=21, settings=Settings(record_bytes_max=800))
    stage = place.keyframes.stage()
    stage.add(STREAM, 10, place.written.keyframe(STREAM, 10))
    stage.add(STREAM, 20, place.written.keyframe(STREAM, 20))
    stage.publish()
    place.cache.put(STREAM, place.states[20])

    assert list(place.keyframes.labels(STREAM)) == [10]
    assert place.cache.figures().skipped == 1
    assert await place.cache.get(STREAM) is place.states[20]


class CountingOperations(OperationsTable):
    """An operations table that remembers how many operations were read at once."""

    def __init__(self, written: Written) -> None:
        super().__init__(written.store)
        self.pages: list[int] = []

    def page(self, stream: Stream, first_index: int, count_max: int) -> list[tuple[int, bytes]]:
        page = super().page(stream, first_index, count_max)
        if stream == STREAM:
            self.pages.append(len(page))
        return page


async def test_250_operations_are_read_in_three_pages_of_at_most_a_hundred() -> None:
    place = Place(operations=250)
    operations = CountingOperations(place.written)
    cache = WriteCache(
        place.replay, operations, place.keyframes, streams_max=9, ring_states=3, bytes_max=1 << 20
    )

    assert await cache.get(STREAM) == place.states[249]
    assert operations.pages == [100, 100, 50]


async def test_of_a_thousand_operations_with_keyframes_few_are_replayed() -> None:
    place = Place(operations=1_000, keyframes=range(10, 1_000, 10))
    await place.cache.get(STREAM)

    assert len(place.replay.applied) < 10


async def test_a_stream_without_operations_shows_its_origin_and_is_not_cached() -> None:
    place = Place()

    state = await place.cache.get(STREAM)
    assert state.label == -1
    assert state == await place.cache.get(STREAM, -1)
    assert place.cache.peek(STREAM) is None


async def test_callers_of_one_stream_share_one_build() -> None:
    place = Place(operations=300)
    await place.warm_up()

    states = await asyncio.gather(*(place.cache.get(STREAM) for _ in range(5)))
    assert states == [place.states[299]] * 5
    assert place.replay.applied == list(range(300))
    assert place.counts[2] == 1


async def test_streams_are_built_side_by_side() -> None:
    place = Place(operations=300)
    draft = Stream("d", "local", "main")
    place.written.add(draft, 300)

    await asyncio.gather(place.cache.get(STREAM), place.cache.get(draft))
    assert place.replay.applied != [*range(300), *range(300)]
    assert sorted(place.replay.applied) == sorted([*range(300), *range(300)])


async def test_a_head_that_moves_during_a_build_is_not_overwritten() -> None:
    place = Place(operations=300, streams_max=2)
    build = asyncio.create_task(place.cache.get(STREAM))
    await place.replay.began.wait()
    newer = place.written.add(STREAM, 1)
    place.cache.put(STREAM, newer)
    for number in range(2):
        place.cache.put(Stream("d", f"scope{number}", "main"), newer)

    assert (await build).label == 299
    assert place.cache.peek(STREAM) is None


async def test_what_is_forgotten_during_a_build_does_not_come_back() -> None:
    place = Place(operations=300)
    build = asyncio.create_task(place.cache.get(STREAM))
    await place.replay.began.wait()
    place.cache.invalidate("d")

    assert await build == place.states[299]
    assert place.cache.peek(STREAM) is None


@pytest.mark.parametrize(
    ("scope", "branch", "count"),
    [(None, None, 4), ("a", None, 2), (None, "main", 2), ("a", "main", 1), ("x", "main", 0)],
)
async def test_invalidating_tells_how_many_streams_went(
    scope: str | None, branch: str | None, count: int
) -> None:
    place = Place(operations=1)
    for document_id in ("d", "e"):
        for one in ("a", "b"):
            for other in ("main", "draft"):
                place.cache.put(Stream(document_id, one, other), place.states[0])

    assert place.cache.invalidate("d", scope, branch) == count
    assert place.cache.invalidate("d", scope, branch) == 0
    assert place.cache.invalidate("e") == 4


async def test_a_cleared_cache_builds_again() -> None:
    place = Place(operations=5)
    place.cache.put(STREAM, place.states[4])
    place.cache.clear()

    assert place.cache.peek(STREAM) is None
    assert await place.cache.get(STREAM) == place.states[4]


async def test_a_cleared_cache_looks_keyframes_up_again() -> None:
    place = Place(operations=20)
    for label in (3, 4, 5):
        stage = place.keyframes.stage()
        stage.add(STREAM, label, place.written.keyframe(STREAM, label))
        stage.publish()
    for label in range(6, 19):
        place.values.put(record_key(STREAM, label), place.written.keyframe(STREAM, label))
    place.cache.clear()
    stage = place.keyframes.stage()
    stage.add(STREAM, 19, place.written.keyframe(STREAM, 19))

    assert Row(record_key(STREAM, 11), None) in stage.rows


async def test_nobody_can_change_a_cached_state() -> None:
    place = Place(operations=2)
    cached = (await place.cache.get(STREAM)).state

    with pytest.raises(ValueError, match="frozen"):
        cached.lines = ()
    assert await place.cache.get(STREAM) == place.states[1]


async def test_a_mixed_workload_is_mostly_hits() -> None:
    place = Place(operations=1)
    document_ids = [f"doc{number % 20}" for number in range(600)]
    for document_id in dict.fromkeys(document_ids):
        place.written.create(document_id)
    for document_id in document_ids:
        stream = Stream(document_id, "global", "main")
        if place.cache.peek(stream) is None and place.written.operations.head(stream):
            await place.cache.get(stream)
        place.cache.put(stream, place.written.add(stream, 1))

    assert (place.cache.figures().hit_rate or 0) > 0.8
