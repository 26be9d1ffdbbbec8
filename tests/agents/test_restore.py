"""Bringing a store to the end of the log."""

from collections.abc import Mapping

import pytest

from docreactor.agents.log import Entry, Fetched, TopicPartition
from docreactor.agents.restore import restore, unusable
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import StoreIdentity
from tests.support.nodes import Site, site

HOUR_MS = 3_600_000
IDENTITY = StoreIdentity("a" * 32, 1)


def _store(positions: Mapping[str, int], written_ms: int = 0) -> MemoryStore:
    store = MemoryStore()
    store.begin(IDENTITY)
    store.write([], {topic: Offset(at) for topic, at in positions.items()}, now_ms=written_ms)
    return store


def _unusable(
    store: MemoryStore,
    *,
    identity: StoreIdentity = IDENTITY,
    start: int = 0,
    end: int = 10,
    now_ms: int = 0,
    delete_retention_ms: int = 10 * HOUR_MS,
) -> str | None:
    return unusable(
        store,
        identity,
        Settings(delete_retention_ms=delete_retention_ms),
        starts={"t": Offset(start)},
        ends={"t": Offset(end)},
        now_ms=now_ms,
    )


@pytest.mark.parametrize("position", [0, 4, 10])
def test_rows_from_within_the_log_lack_only_its_tail(position: int) -> None:
    assert _unusable(_store({"t": position})) is None


def test_a_store_that_never_began_is_new() -> None:
    assert _unusable(MemoryStore()) == "it is new"


@pytest.mark.parametrize("identity", [StoreIdentity("b" * 32, 1), StoreIdentity("a" * 32, 2)])
def test_rows_of_another_log_or_schema_are_of_no_use(identity: StoreIdentity) -> None:
    reason = _unusable(_store({"t": 4}), identity=identity)
    assert reason is not None
    assert reason.startswith("it belongs to")


def test_rows_from_beyond_the_end_are_of_another_history() -> None:
    assert _unusable(_store({"t": 11})) == "it is ahead of t"


def test_rows_from_before_the_start_miss_what_was_deleted() -> None:
    assert _unusable(_store({"t": 4}), start=5) == "it is behind the start of t"
    assert _unusable(_store({"t": 5}), start=5) is None


def test_a_topic_without_a_position_is_read_from_its_start() -> None:
    assert _unusable(_store({"u": 1})) is None
    assert _unusable(_store({"u": 1}), start=1) == "it is behind the start of t"


def test_what_was_begun_and_never_filled_is_begun_again() -> None:
    assert _unusable(_store({})) == "it was begun and never filled"


@pytest.mark.parametrize(
    ("life_ms", "margin_ms"), [(10 * HOUR_MS, HOUR_MS), (HOUR_MS, HOUR_MS // 2), (0, 0)]
)
def test_old_rows_may_lack_tombstones(life_ms: int, margin_ms: int) -> None:
    store = _store({"t": 4}, written_ms=1_000)
    latest = 1_000 + life_ms - margin_ms
    assert _unusable(store, now_ms=latest, delete_retention_ms=life_ms) is None
    reason = _unusable(store, now_ms=latest + 1, delete_retention_ms=life_ms)
    assert reason == "tombstones may be gone since it was last written"


class Taken:
    """What a restore hands out, and what it says of its progress."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []
        self.next_offsets: dict[TopicPartition, Offset] = {}
        self.progress: list[float] = []

    async def take(self, source: TopicPartition, fetched: Fetched) -> None:
        self.values += [record.value for record in fetched.records]
        self.next_offsets[source] = fetched.next_offset


async def _written(place: Site, topic: str, count: int) -> TopicPartition:
    await place.write(topic, *(Entry(b"k%d" % at, b"v%d" % at) for at in range(count)))
    return place.source(topic)


async def test_everything_up_to_the_end_is_read_once() -> None:
    place, taken = site(), Taken()
    operations = await _written(place, place.topics.operations, 3)
    jobs = await _written(place, place.topics.jobs, 2)
    ends = {operations: Offset(3), jobs: Offset(2)}
    count = await restore(place.log(), {}, ends, taken.take, taken.progress.append)
    assert count == 5
    assert sorted(map(str, taken.values)) == sorted(map(str, [b"v0", b"v1", b"v2", b"v0", b"v1"]))
    assert taken.next_offsets == ends


async def test_what_is_there_already_is_not_read_again() -> None:
    place, taken = site(), Taken()
    operations = await _written(place, place.topics.operations, 5)
    jobs = await _written(place, place.topics.jobs, 2)
    at = {operations: Offset(3), jobs: Offset(2)}
    ends = {operations: Offset(5), jobs: Offset(2)}
    assert await restore(place.log(), at, ends, taken.take, taken.progress.append) == 2
    assert taken.values == [b"v3", b"v4"]


async def test_with_nothing_to_read_it_is_done_at_once() -> None:
    place, taken = site(), Taken()
    ends = {place.source(place.topics.operations): Offset(0)}
    assert await restore(place.log(), {}, ends, taken.take, taken.progress.append) == 0
    assert (taken.values, taken.progress) == ([], [1.0])


async def test_holes_and_markers_count_as_read() -> None:
    place, taken = site(), Taken()
    operations = place.source(place.topics.operations)
    for _ in range(3):
        await place.write(place.topics.operations, Entry(b"same", b"v"))
    place.cluster.compact(place.topics.operations)
    transactor = await place.log().transactor("another")
    with pytest.raises(RuntimeError, match="given up"):
        async with transactor.transaction() as transaction:
            await transaction.send({operations: [Entry(b"k", b"never")]})
            raise RuntimeError("given up")
    end = place.cluster.partition(operations).end
    ends = {operations: Offset(end)}
    assert await restore(place.log(), {}, ends, taken.take, taken.progress.append) == 1
    assert taken.next_offsets == {operations: end}


async def test_progress_grows_to_one() -> None:
    place, taken = site(), Taken()
    operations = await _written(place, place.topics.operations, 12_000)
    ends = {operations: Offset(12_000)}
    assert await restore(place.log(), {}, ends, taken.take, taken.progress.append) == 12_000
    assert taken.progress == sorted(taken.progress)
    assert 0.0 < taken.progress[0] < 1.0
    assert taken.progress[-1] == 1.0
