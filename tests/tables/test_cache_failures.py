"""What fails or is cancelled leaves the write cache as it was, and says what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    DocumentNotFoundError,
    HashMismatchError,
    RevisionNotFoundError,
    StoreFailedError,
    UnknownModelError,
)
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.tables.cache import WriteCache
from docreactor.tables.cache_figures import CacheFigures
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import OperationsTable
from docreactor.tables.store import Row
from tests.tables.cached import STREAM, Place
from tests.tables.written import Written, home


def _held(place: Place) -> tuple[list[Stream], list[list[int]], CacheFigures]:
    """Everything that a caller can see of a cache."""
    streams = place.cache.streams()
    return streams, [place.cache.labels(one) for one in streams], place.cache.figures()


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
    assert place.counts[1] == 0

    place.replay.fails_at = None
    assert await place.cache.get(STREAM) == place.states[19]


async def test_a_gap_in_the_stored_history_is_named() -> None:
    place = Place(operations=20)
    place.written.write([Row(b"o/" + record_key(STREAM, 7), None)])

    with pytest.raises(CorruptHistoryError):
        await place.cache.get(STREAM)


async def test_a_cancelled_caller_leaves_the_build_to_the_next() -> None:
    place = Place(operations=300)
    callers = [asyncio.create_task(place.cache.get(STREAM)) for _ in range(2)]
    await place.replay.began.wait()
    callers[0].cancel()

    with pytest.raises(asyncio.CancelledError):
        await callers[0]
    assert await callers[1] == place.states[299]


async def test_a_failed_read_changes_neither_states_nor_their_order_of_use() -> None:
    place = Place(operations=20)
    other = place.others(1)[0]
    await place.cache.get(home("d"))
    place.cache.put(STREAM, place.states[5])
    place.cache.put(other, place.states[0])
    before = _held(place)
    place.replay.fails_at = 12

    with pytest.raises(HashMismatchError):
        await place.cache.get(STREAM)
    with pytest.raises(RevisionNotFoundError):
        await place.cache.get(STREAM, 99)
    assert _held(place) == before


async def test_a_read_cancelled_between_pages_changes_nothing_either() -> None:
    place = Place(operations=350)
    other = place.others(1)[0]
    await place.cache.get(home("d"))
    place.cache.put(STREAM, place.states[5])
    place.cache.put(other, place.states[0])
    before = _held(place)
    read = asyncio.create_task(place.cache.get(STREAM))
    await place.replay.began.wait()
    read.cancel()

    with pytest.raises(asyncio.CancelledError):
        await read
    assert 5 < max(place.replay.applied) < 349
    assert _held(place) == before
    assert await place.cache.get(STREAM) == place.states[349]


async def test_a_document_of_an_unknown_type_is_named() -> None:
    written = Written()
    written.create("d")
    written.add(STREAM, 3)
    cache = WriteCache(
        Replay(Registry([])),
        written.operations,
        Keyframes(MemoryKeyValueStore(), Settings()),
        streams_max=9,
        ring_states=3,
        bytes_max=1 << 20,
    )

    with pytest.raises(UnknownModelError, match="test/notes"):
        await cache.get(STREAM)
    assert (await cache.get(home("d"))).state.document_type == "test/notes"
    assert cache.streams() == [home("d")]


class FailingStore(MemoryStore):
    """A store whose disk fails where it is told to."""

    is_failing = False

    def get(self, key: bytes) -> bytes | None:
        if self.is_failing:
            raise StoreFailedError("the disk is gone")
        return super().get(key)

    def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        if self.is_failing:
            raise StoreFailedError("the disk is gone")
        return super().get_many(keys)


async def test_what_the_store_raises_comes_out_and_changes_nothing() -> None:
    place, store = Place(operations=5), FailingStore()
    store.write(list(place.written.store.scan(b"", b"\xff")), {}, now_ms=1)
    cache = WriteCache(
        place.replay,
        OperationsTable(store),
        place.keyframes,
        streams_max=9,
        ring_states=3,
        bytes_max=1 << 20,
    )
    cache.put(STREAM, place.states[4])
    store.is_failing = True

    for target in (None, 2):
        with pytest.raises(StoreFailedError):
            await cache.get(STREAM, target)
    assert cache.labels(STREAM) == [4]
    store.is_failing = False
    assert await cache.get(STREAM, 2) == place.states[2]


async def test_a_corrupted_keyframe_is_passed_over_counted_and_gives_the_same_state() -> None:
    place = Place(operations=50, keyframes=[10])
    row = decode(place.written.keyframe(STREAM, 20))
    for label, content in (
        (20, encode(row | {"state": {"lines": ["another"]}})),
        (30, place.written.keyframe(STREAM, 29)),
        (40, b"not JSON"),
    ):
        place.values.put(record_key(STREAM, label), content)
    await place.warm_up()

    assert await place.cache.get(STREAM, 47) == place.states[47]
    assert place.replay.applied == list(range(11, 48))
    assert place.cache.figures().corrupted == 3


async def test_with_corrupted_keyframes_alone_the_whole_history_is_replayed() -> None:
    place = Place(operations=50)
    place.values.put(record_key(STREAM, 40), b"{}")

    assert await place.cache.get(STREAM) == place.states[49]
    assert place.replay.applied == list(range(50))


async def test_of_a_failing_stream_every_caller_is_told() -> None:
    place = Place(operations=20)
    place.replay.fails_at = 12

    told = await asyncio.gather(
        *(place.cache.get(STREAM) for _ in range(3)), return_exceptions=True
    )
    assert [type(error) for error in told] == [HashMismatchError] * 3


async def test_a_stopped_cache_is_empty_and_can_be_started_again() -> None:
    place = Place(operations=50, keyframes=[40])
    for _ in range(2):
        place.cache.startup()
    await place.cache.get(STREAM)
    for _ in range(2):
        place.cache.shutdown()
    assert place.cache.streams() == []

    place.cache.startup()
    place.replay.applied.clear()
    assert await place.cache.get(STREAM) == place.states[49]
    assert place.replay.applied == list(range(41, 50))
