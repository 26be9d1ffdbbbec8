"""The write cache hands out the state that was shown, from wherever it is nearest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    DocumentNotFoundError,
    HashMismatchError,
    RevisionNotFoundError,
)
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.cache import WriteCache
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore
from docreactor.tables.store import Row
from tests.tables.written import Written, home, notes

STREAM = Stream("d", "global", "main")


class CountingReplay(Replay):
    """A replay that remembers what it applied, and fails where it is told to."""

    def __init__(self) -> None:
        super().__init__(Registry([notes]))
        self.applied: list[int] = []
        self.fails_at: int | None = None
        self.began = asyncio.Event()

    def advance(
        self, base: StreamState, operation: Operation, stream: Stream, document: Document | None
    ) -> StreamState:
        if stream.scope != "document":
            if operation.index == self.fails_at:
                raise HashMismatchError(stream.document_id, key="k", expected="a", actual="b")
            self.applied.append(operation.index)
            self.began.set()
        return super().advance(base, operation, stream, document)


class Place:
    """A cache over a written history."""

    def __init__(
        self,
        *,
        operations: int = 0,
        keyframes: Iterable[int] = (),
        streams_max: int = 100,
        ring_states: int = 10,
    ) -> None:
        self.written = Written()
        self.written.create("d")
        if operations:
            self.written.add(STREAM, operations)
        self.replay = CountingReplay()
        self.values = MemoryKeyValueStore()
        for label in keyframes:
            self.values.put(record_key(STREAM, label), self.written.keyframe(STREAM, label))
        self.keyframes = Keyframes(self.values, Settings())
        self.cache = WriteCache(
            self.replay,
            self.written.operations,
            self.keyframes,
            streams_max=streams_max,
            ring_states=ring_states,
        )

    @property
    def states(self) -> list[StreamState]:
        return self.written.states[STREAM]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Hits, warm, cold and keyframes used, without those of the scope `document`."""
        cache = self.cache
        return cache.hits, cache.warm, cache.cold, cache.keyframes_used

    async def warm_up(self) -> None:
        """Have the document's own scope cached, and count from there."""
        await self.cache.get(home("d"))
        self.cache.hits = self.cache.cold = 0


async def test_nothing_is_cached_at_first() -> None:
    place = Place(operations=3)

    assert place.cache.peek(STREAM) is None
    assert place.counts == (0, 0, 0, 0)


async def test_a_cold_read_builds_the_head_and_the_next_one_finds_it() -> None:
    place = Place(operations=5)
    await place.warm_up()

    assert await place.cache.get(STREAM) == place.states[4]
    assert place.counts == (1, 0, 1, 0)
    assert place.cache.peek(STREAM) == place.states[4]
    assert await place.cache.get(STREAM) == place.states[4]
    assert place.counts == (3, 0, 1, 0)
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
    assert place.cache.warm == 1


async def test_with_a_past_revision_cached_the_head_is_built_from_there_and_kept_as_head() -> None:
    place = Place(operations=20)
    await place.warm_up()
    await place.cache.get(STREAM, 9)
    assert place.cache.peek(STREAM) is None

    assert await place.cache.get(STREAM) == place.states[19]
    assert place.cache.warm == 1
    assert place.cache.peek(STREAM) == place.states[19]


async def test_a_past_revision_before_everything_cached_is_built_cold() -> None:
    place = Place(operations=20)
    await place.warm_up()
    place.cache.put(STREAM, place.states[19])

    assert await place.cache.get(STREAM, 3) == place.states[3]
    assert place.cache.cold == 1
    assert place.cache.peek(STREAM) is place.states[19]


async def test_a_head_that_moved_without_being_put_is_built_forward() -> None:
    place = Place(operations=5)
    await place.warm_up()
    await place.cache.get(STREAM)
    place.written.add(STREAM, 2)

    assert await place.cache.get(STREAM) == place.states[6]
    assert place.cache.warm == 1


async def test_a_cold_read_uses_the_nearest_keyframe_at_the_head_too() -> None:
    place = Place(operations=50, keyframes=[10, 20, 30, 40])
    await place.warm_up()

    assert await place.cache.get(STREAM, 37) == place.states[37]
    assert place.replay.applied == list(range(31, 38))
    assert await place.cache.get(STREAM) == place.states[49]
    assert place.replay.applied[7:] == list(range(41, 50))
    assert place.counts[2:] == (2, 2)


async def test_of_a_thousand_operations_with_keyframes_few_are_replayed() -> None:
    place = Place(operations=1_000, keyframes=range(10, 1_000, 10))
    await place.cache.get(STREAM)

    assert len(place.replay.applied) < 10


async def test_the_newest_states_stay_in_the_ring_and_older_ones_are_built_again() -> None:
    place = Place(operations=12, ring_states=3)
    await place.warm_up()
    for state in place.states:
        place.cache.put(STREAM, state)

    for label in (9, 10, 11):
        assert await place.cache.get(STREAM, label) is place.states[label]
    assert place.cache.cold == 0
    assert await place.cache.get(STREAM, 8) == place.states[8]
    assert place.cache.cold == 1


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
    place.cache.hits = 0
    await place.cache.get(STREAM, 1)
    assert place.cache.warm == 0


async def test_peeking_is_a_use() -> None:
    place = Place(operations=1, streams_max=2)
    first, second, third = (Stream("d", scope, "main") for scope in ("a", "b", "c"))
    place.cache.put(first, place.states[0])
    place.cache.put(second, place.states[0])
    place.cache.peek(first)
    place.cache.put(third, place.states[0])

    assert place.cache.peek(first) is not None
    assert place.cache.peek(second) is None


async def test_a_stream_without_operations_shows_its_origin_and_is_not_cached() -> None:
    place = Place()

    state = await place.cache.get(STREAM)
    assert state.label == -1
    assert state == await place.cache.get(STREAM, -1)
    assert place.cache.peek(STREAM) is None


async def test_an_unknown_document_is_named() -> None:
    place = Place()

    for stream in (home("x"), Stream("x", "global", "main"), Stream("d", "global", "draft")):
        for target in (None, 3, -1):
            with pytest.raises(DocumentNotFoundError, match=stream.document_id):
                await place.cache.get(stream, target)


async def test_an_index_that_is_not_there_yet_names_the_head() -> None:
    place = Place(operations=5)

    with pytest.raises(RevisionNotFoundError, match="its head is 4"):
        await place.cache.get(STREAM, 5)
    with pytest.raises(RevisionNotFoundError):
        await place.cache.get(STREAM, -2)
    with pytest.raises(RevisionNotFoundError, match="its head is -1"):
        await place.cache.get(Stream("d", "local", "main"), 0)


async def test_what_fails_leaves_the_cache_as_it_was_and_may_succeed_later() -> None:
    place = Place(operations=20)
    place.cache.put(STREAM, place.states[5])
    place.replay.fails_at = 12

    with pytest.raises(HashMismatchError):
        await place.cache.get(STREAM)
    assert place.cache.peek(STREAM) is place.states[5]
    assert place.cache.warm == 0

    place.replay.fails_at = None
    assert await place.cache.get(STREAM) == place.states[19]


async def test_a_gap_in_the_stored_history_is_named() -> None:
    place = Place(operations=20)
    place.written.write([Row(b"o/" + record_key(STREAM, 7), None)])

    with pytest.raises(CorruptHistoryError):
        await place.cache.get(STREAM)


async def test_callers_of_one_stream_share_one_build() -> None:
    place = Place(operations=300)
    await place.warm_up()

    states = await asyncio.gather(*(place.cache.get(STREAM) for _ in range(5)))
    assert states == [place.states[299]] * 5
    assert place.replay.applied == list(range(300))
    assert place.cache.cold == 1


async def test_a_cancelled_caller_leaves_the_build_to_the_next() -> None:
    place = Place(operations=300)
    callers = [asyncio.create_task(place.cache.get(STREAM)) for _ in range(2)]
    await place.replay.began.wait()
    callers[0].cancel()

    with pytest.raises(asyncio.CancelledError):
        await callers[0]
    assert await callers[1] == place.states[299]


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

    cache = place.cache
    assert cache.hits / (cache.hits + cache.warm + cache.cold) > 0.8
