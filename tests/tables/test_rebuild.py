"""A state built again is the state that was shown, whatever it was built from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import CorruptHistoryError, HashMismatchError
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore
from docreactor.tables.operations import OperationsTable
from docreactor.tables.rebuild import Rebuild, Rebuilt, Start
from docreactor.tables.store import Row
from tests.tables.written import Written, home

STREAM = Stream("d", "global", "main")


class CountingOperations(OperationsTable):
    """An operations table that remembers which pages were read."""

    def __init__(self, written: Written) -> None:
        super().__init__(written.store)
        self.pages: list[tuple[int, int]] = []

    def page(self, stream: Stream, first_index: int, count_max: int) -> list[tuple[int, bytes]]:
        self.pages.append((first_index, count_max))
        return super().page(stream, first_index, count_max)


class Place:
    """What a rebuild works with."""

    def __init__(self, *, operations: int = 0, keyframes: Iterable[int] = ()) -> None:
        self.written = Written()
        self.written.create("d")
        if operations:
            self.written.add(STREAM, operations)
        self.operations = CountingOperations(self.written)
        self.values = MemoryKeyValueStore()
        self.keyframes = Keyframes(self.values, Settings())
        self.rebuild = Rebuild(self.written.replay, self.operations, self.keyframes)
        for label in keyframes:
            self.keep(label)

    @property
    def states(self) -> list[StreamState]:
        return self.written.states[STREAM]

    def keep(self, label: int, content: bytes | None = None) -> None:
        """Store a keyframe."""
        content = content or self.written.keyframe(STREAM, label)
        self.values.put(record_key(STREAM, label), content)

    async def build(self, target: int, *cached: int) -> Rebuilt:
        document: Document = self.written.states[home("d")][-1].state
        bases = [self.states[label] for label in cached]
        return await self.rebuild.build(STREAM, document, target, bases)


async def test_without_a_base_everything_is_replayed_in_pages_of_a_hundred() -> None:
    place = Place(operations=250)
    rebuilt = await place.build(249)

    assert rebuilt == Rebuilt(place.states[249], Start.ORIGIN)
    assert place.operations.pages == [(0, 100), (100, 100), (200, 50)]


async def test_before_the_first_operation_there_is_the_origin() -> None:
    place = Place(operations=1)
    rebuilt = await place.build(-1)

    assert rebuilt.state.label == -1
    assert rebuilt.state.content == encode({"lines": []})
    assert rebuilt.start is Start.ORIGIN


async def test_a_document_scope_is_rebuilt_from_nothing() -> None:
    place = Place()
    rebuilt = await place.rebuild.build(home("d"), None, 1, [])

    assert rebuilt.state == place.written.states[home("d")][1]


async def test_a_keyframe_spares_the_operations_before_it() -> None:
    place = Place(operations=50, keyframes=[10, 20, 30, 40])
    rebuilt = await place.build(47)

    assert rebuilt == Rebuilt(place.states[47], Start.KEYFRAME)
    assert place.operations.pages == [(41, 7)]


async def test_a_keyframe_of_the_target_itself_spares_every_operation() -> None:
    place = Place(operations=50, keyframes=[40])
    rebuilt = await place.build(40)

    assert rebuilt == Rebuilt(place.states[40], Start.KEYFRAME)
    assert place.operations.pages == []


async def test_the_nearest_base_is_taken_cached_or_kept() -> None:
    place = Place(operations=50, keyframes=[20, 40])

    assert (await place.build(47, 45, 30)).start is Start.CACHED
    assert (await place.build(47, 30)).start is Start.KEYFRAME
    assert (await place.build(35, 30)).start is Start.CACHED
    assert (await place.build(47, 40)).start is Start.CACHED
    assert place.operations.pages == [(46, 2), (41, 7), (31, 5), (41, 7)]


async def test_a_corrupted_keyframe_is_passed_over_and_counted() -> None:
    place = Place(operations=50, keyframes=[10])
    place.keep(20, b"{}")
    place.keep(30, place.written.keyframe(STREAM, 29))
    row = decode(place.written.keyframe(STREAM, 40))
    place.keep(40, encode(row | {"state": {"lines": ["another"]}}))

    assert await place.build(47) == Rebuilt(place.states[47], Start.KEYFRAME)
    assert place.operations.pages == [(11, 37)]
    assert place.keyframes.corrupted == 3


async def test_a_keyframe_of_a_model_that_is_not_here_is_passed_over() -> None:
    place = Place(operations=50, keyframes=[10])
    row = decode(place.written.keyframe(STREAM, 40))
    place.keep(30, encode(row | {"version": 2}))
    place.keep(40, encode(row | {"model": "test/another"}))

    assert await place.build(47) == Rebuilt(place.states[47], Start.KEYFRAME)
    assert place.operations.pages == [(11, 37)]
    assert place.keyframes.corrupted == 0


async def test_with_corrupted_keyframes_alone_everything_is_replayed() -> None:
    place = Place(operations=50)
    place.keep(40, b"not JSON")

    assert await place.build(47) == Rebuilt(place.states[47], Start.ORIGIN)


async def test_a_recorded_error_is_honoured() -> None:
    place = Place(operations=3)
    place.written.append(STREAM, {"text": "no"}, action_type="REFUSE")
    place.written.add(STREAM, 1)

    assert (await place.build(4)).state == place.states[4]


async def test_a_base_that_a_later_operation_superseded_does_not_serve() -> None:
    place = Place(operations=20, keyframes=[5, 15])
    place.written.append(STREAM, {"text": "placed at 10"}, skip=10)
    place.written.add(STREAM, 2)

    rebuilt = await place.build(22, 18)
    assert rebuilt == Rebuilt(place.states[22], Start.KEYFRAME)
    assert rebuilt.state.content == encode(
        {"lines": [*(f"line {n}" for n in range(10)), "placed at 10", "line 21", "line 22"]}
    )
    assert (await place.build(22, 20)).start is Start.CACHED
    assert (await place.build(19, 18)).start is Start.CACHED


async def test_superseded_operations_are_not_replayed() -> None:
    place = Place(operations=4)
    place.written.append(STREAM, {"text": "instead of 2 and 3"}, skip=2)
    broken = b'{"broken":true}'
    place.written.write(
        [
            Row(b"o/" + record_key(STREAM, index), broken + content)
            for index, content in place.written.operations.page(STREAM, 2, 2)
        ]
    )

    assert (await place.build(4)).state == place.states[4]


async def test_a_gap_is_corrupt_history() -> None:
    place = Place(operations=30)
    place.written.write([Row(b"o/" + record_key(STREAM, 12), None)])

    with pytest.raises(CorruptHistoryError, match="12"):
        await place.build(29)
    place.written.write([Row(b"o/" + record_key(STREAM, 0), None)])
    with pytest.raises(CorruptHistoryError, match="0"):
        await place.build(5)


async def test_a_skip_before_the_beginning_is_corrupt_history() -> None:
    place = Place(operations=3)
    content = place.written.operations.get(STREAM, 2) or b""
    bent = content.replace(b'"skip":0', b'"skip":4')
    place.written.write([Row(b"o/" + record_key(STREAM, 2), bent)])

    with pytest.raises(CorruptHistoryError, match="skips 4"):
        await place.build(2)


async def test_another_state_than_recorded_is_a_mismatch() -> None:
    place = Place(operations=3)
    content = place.written.operations.get(STREAM, 2) or b""
    bent = content.replace(place.states[2].hash.encode(), place.states[1].hash.encode())
    place.written.write([Row(b"o/" + record_key(STREAM, 2), bent)])

    with pytest.raises(HashMismatchError):
        await place.build(2)


async def test_the_loop_gets_its_turn_between_pages() -> None:
    place = Place(operations=500)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await place.build(499)
    counting.cancel()
    assert turns >= 5


SKIPS = st.lists(st.integers(0, 30), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    skips=SKIPS,
    target=st.integers(0, 59),
    cached=st.sets(st.integers(0, 59), max_size=4),
    kept=st.sets(st.integers(0, 59), max_size=4),
)
def test_any_history_is_rebuilt_as_it_was_shown(
    skips: list[int], target: int, cached: set[int], kept: set[int]
) -> None:
    place = Place()
    for index, skip in enumerate(skips):
        place.written.append(STREAM, {"text": f"{index}"}, skip=min(skip, index))
    target = min(target, len(skips) - 1)
    for label in kept:
        if label < len(skips):
            place.keep(label)
    bases = sorted((label for label in cached if label < target), reverse=True)

    rebuilt = asyncio.run(place.build(target, *bases))
    assert rebuilt.state == place.states[target]
