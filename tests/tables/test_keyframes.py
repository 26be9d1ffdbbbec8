"""Keyframes are staged, pruned and found again, the nearest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import example, given
from hypothesis import strategies as st

from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.settings import Settings
from docreactor.tables.key_value_contract import KeyValueContract
from docreactor.tables.keyframes import (
    Keyframes,
    MemoryKeyValueStore,
    StoreKeyValueStore,
    keyframe_rows,
)
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import Row

STREAM = Stream("d", "global", "main")
SETTINGS = Settings()
REPLAYED_MAX = 1_000


class TestMemoryKeyValueStore(KeyValueContract):
    """In memory."""

    def setup_method(self) -> None:
        self.values = MemoryKeyValueStore()


class TestStoreKeyValueStore(KeyValueContract):
    """Over the rows of a store."""

    def setup_method(self) -> None:
        self.values = StoreKeyValueStore(MemoryStore())

    def test_what_was_put_is_a_record_until_its_row_is_written(self) -> None:
        store = MemoryStore()
        values = StoreKeyValueStore(store)
        values.put(b"a", b"1")
        values.delete(b"b")
        records = values.drain()

        assert records == [Row(b"a", b"1"), Row(b"b", None)]
        assert values.drain() == []
        assert values.get(b"a") is None
        store.write(keyframe_rows(records), {}, now_ms=1)
        assert values.get(b"a") == b"1"

    def test_written_rows_and_waiting_ones_show_together(self) -> None:
        store = MemoryStore()
        values = StoreKeyValueStore(store)
        rows = [Row(b"a", b"1"), Row(b"b", b"1"), Row(b"c", b"1")]
        store.write(keyframe_rows(rows), {}, now_ms=1)
        store.write([Row(b"j/job", b"not a keyframe")], {}, now_ms=1)
        values.put(b"bb", b"2")
        values.delete(b"c")

        assert list(values.descend(b"", b"z")) == [b"bb", b"b", b"a"]
        values.clear()
        assert list(values.descend(b"", b"z")) == []
        assert {row.key for row in values.drain()} == {b"a", b"b", b"c"}

    def test_what_nobody_drained_is_gone_after_a_shutdown(self) -> None:
        values = StoreKeyValueStore(MemoryStore())
        values.put(b"a", b"1")
        values.shutdown()

        assert values.drain() == []


def _on_memory() -> tuple[Keyframes, Callable[[list[Row]], None]]:
    store = MemoryStore()
    keyframes = Keyframes(StoreKeyValueStore(store), SETTINGS)
    return keyframes, lambda rows: store.write(keyframe_rows(rows), {}, now_ms=1)


def _kept(labels: list[int], per_batch: int = 1) -> list[int]:
    """The labels that are left, ascending, when these were stored one after another."""
    keyframes, write = _on_memory()
    for start in range(0, len(labels), per_batch):
        stage = keyframes.stage()
        for label in labels[start : start + per_batch]:
            stage.add(STREAM, label, b"%d" % label)
        write(stage.rows)
    return sorted(keyframes.labels(STREAM))


def test_a_stage_that_is_dropped_leaves_no_trace() -> None:
    keyframes, _ = _on_memory()
    keyframes.stage().add(STREAM, 10, b"x")

    assert list(keyframes.labels(STREAM)) == []


def test_a_stage_gives_records_with_the_keys_of_the_topic() -> None:
    keyframes, _ = _on_memory()
    stage = keyframes.stage()
    stage.add(STREAM, 10, b"x")

    assert stage.rows == [Row(record_key(STREAM, 10), b"x")]


def test_a_keyframe_stored_again_replaces_the_first() -> None:
    keyframes, write = _on_memory()
    for content in (b"1", b"2"):
        stage = keyframes.stage()
        stage.add(STREAM, 10, content)
        write(stage.rows)

    assert list(keyframes.nearest(STREAM)) == [(10, b"2")]


def test_published_keyframes_are_in_the_key_value_store() -> None:
    keyframes = Keyframes(MemoryKeyValueStore(), SETTINGS)
    for label in range(10, 130, 10):
        stage = keyframes.stage()
        stage.add(STREAM, label, b"%d" % label)
        stage.publish()

    assert list(keyframes.labels(STREAM)) == [*range(120, 40, -10), 10]
    assert keyframes.get(STREAM, 120) == b"120"


def test_the_nearest_keyframes_come_first() -> None:
    keyframes, write = _on_memory()
    stage = keyframes.stage()
    for label in (10, 20, 30, 40):
        stage.add(STREAM, label, b"%d" % label)
    stage.add(Stream("d", "global", "main2"), 35, b"another branch's")
    write(stage.rows)

    assert list(keyframes.nearest(STREAM, 37)) == [(30, b"30"), (20, b"20"), (10, b"10")]
    assert next(keyframes.nearest(STREAM, 30)) == (30, b"30")
    assert next(keyframes.nearest(STREAM)) == (40, b"40")
    assert list(keyframes.nearest(STREAM, 9)) == []


def test_a_keyframe_that_goes_while_they_are_read_is_passed_over() -> None:
    values = MemoryKeyValueStore()
    for label in (10, 20, 30):
        values.put(record_key(STREAM, label), b"%d" % label)
    nearest = Keyframes(values, SETTINGS).nearest(STREAM)

    assert next(nearest) == (30, b"30")
    values.delete(record_key(STREAM, 20))
    assert list(nearest) == [(10, b"10")]


class StartedValues(MemoryKeyValueStore):
    """Values that remember whether they were started."""

    is_started = False

    def startup(self) -> None:
        self.is_started = True

    def shutdown(self) -> None:
        self.is_started = False


def test_keyframes_start_and_stop_what_they_are_kept_in() -> None:
    values = StartedValues()
    keyframes = Keyframes(values, SETTINGS)
    keyframes.startup()
    assert values.is_started

    keyframes.shutdown()
    assert not values.is_started


class CountingValues(MemoryKeyValueStore):
    """Values that remember how often keys were looked up."""

    lookups = 0

    def descend(self, start: bytes, end: bytes) -> Iterator[bytes]:
        self.lookups += 1
        return super().descend(start, end)


def test_the_labels_of_a_stream_are_looked_up_once() -> None:
    values = CountingValues()
    keyframes = Keyframes(values, SETTINGS)
    for label in range(10, 300, 10):
        stage = keyframes.stage()
        stage.add(STREAM, label, b"x")
        stage.publish()

    assert values.lookups == 1


def test_the_labels_of_a_stage_that_was_dropped_are_looked_up_again() -> None:
    values = CountingValues()
    keyframes = Keyframes(values, SETTINGS)
    for label in (10, 20):
        stage = keyframes.stage()
        stage.add(STREAM, label, b"x")
        stage.publish()
    keyframes.stage().add(STREAM, 30, b"dropped")
    stage = keyframes.stage()
    stage.add(STREAM, 31, b"x")
    stage.publish()

    assert values.lookups == 2
    assert list(keyframes.labels(STREAM)) == [31, 20, 10]


def test_rows_that_came_from_elsewhere_are_seen_after_forgetting() -> None:
    keyframes, write = _on_memory()
    stage = keyframes.stage()
    stage.add(STREAM, 10, b"x")
    write(stage.rows)
    write([Row(record_key(STREAM, label), b"x") for label in range(20, 100, 10)])
    keyframes.forget()
    stage = keyframes.stage()
    stage.add(STREAM, 100, b"x")

    assert Row(record_key(STREAM, 20), None) in stage.rows


@given(
    batches=st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=60),
    gap=st.sampled_from([10, 100, 700]),
)
def test_dropped_stages_change_nothing_of_what_is_kept(
    batches: list[tuple[int, bool]], gap: int
) -> None:
    keyframes, write = _on_memory()
    stored: list[int] = []
    label = -1
    for count, is_dropped in batches:
        stage = keyframes.stage()
        labels = [label + gap * (number + 1) for number in range(count)]
        for one in labels:
            stage.add(STREAM, one, b"%d" % one)
        if not is_dropped:
            write(stage.rows)
            stored += labels
            label = labels[-1]

    assert sorted(keyframes.labels(STREAM)) == _kept(stored)


def test_a_keyframe_that_no_record_can_hold_is_skipped_and_counted() -> None:
    settings = Settings(record_bytes_max=1_000)
    keyframes = Keyframes(MemoryKeyValueStore(), settings)
    stage = keyframes.stage()
    stage.add(STREAM, 10, b"x" * 1_001)
    stage.add(STREAM, 20, b"x")

    assert [row.key for row in stage.rows] == [record_key(STREAM, 20)]
    assert keyframes.skipped == 1


def test_the_policy_of_the_settings_says_when_one_is_due() -> None:
    keyframes = Keyframes(MemoryKeyValueStore(), Settings(keyframe_policy="fixed"))

    assert keyframes.due(10, -1, 0, 1)
    assert not keyframes.due(11, -1, 0, 1)


def test_the_newest_eight_stay_and_the_first_of_every_thousand() -> None:
    assert _kept(list(range(10, 3_500, 10))) == [10, 1_000, 2_000, 3_000, *range(3_420, 3_500, 10)]


def test_a_keyframe_that_one_batch_adds_and_prunes_is_never_sent() -> None:
    keyframes, _ = _on_memory()
    stage = keyframes.stage()
    for label in range(10, 500, 10):
        stage.add(STREAM, label, b"x")

    assert [row.key for row in stage.rows] == [
        record_key(STREAM, label) for label in (10, *range(420, 500, 10))
    ]


def _most_replayed(kept: list[int], newest: int) -> int:
    """The most operations that reading any revision up to `newest` replays."""
    starts = [-1, *kept]
    ends = [*(label - 1 for label in kept), newest]
    return max(end - start for start, end in zip(starts, ends, strict=True))


@given(
    gaps=st.lists(st.integers(1, 1_000), min_size=1, max_size=120),
    per_batch=st.sampled_from([1, 3, 1_000]),
)
@example(gaps=[100, *[999] * 40], per_batch=1)
@example(gaps=[10, 1_000, 1_000, 1, 1_000, *[1] * 60], per_batch=1)
def test_reading_any_revision_replays_a_thousand_operations_at_most(
    gaps: list[int], per_batch: int
) -> None:
    stored: list[int] = []
    for gap in gaps:
        stored.append((stored[-1] if stored else -1) + gap)
    kept = _kept(stored, per_batch)

    assert kept[-8:] == stored[-8:]
    assert _most_replayed(kept, stored[-1]) <= REPLAYED_MAX
    firsts = {min(label for label in stored if label // 1_000 == k // 1_000) for k in stored}
    assert firsts <= set(kept)


@given(interval=st.integers(10, 100), count=st.integers(1, 400), per_batch=st.sampled_from([1, 7]))
def test_of_many_keyframes_few_stay(interval: int, count: int, per_batch: int) -> None:
    stored = list(range(interval - 1, interval * count, interval))

    assert len(_kept(stored, per_batch)) <= 8 + 2 * (1 + stored[-1] // 1_000)


def test_all_of_a_documents_keyframes_are_found_and_removed() -> None:
    store = MemoryStore()
    keyframes = Keyframes(StoreKeyValueStore(store), SETTINGS)
    streams = [STREAM, Stream("d", "local", "draft"), Stream("d-1", "global", "main")]
    rows = [Row(record_key(stream, label), b"s") for stream in streams for label in (3, 9)]
    store.write(keyframe_rows(rows), {}, now_ms=1)

    keys = keyframes.keys_of("d")
    stage = keyframes.stage()
    stage.remove(keys)
    store.write(keyframe_rows(stage.rows), {}, now_ms=1)

    assert sorted(keys) == sorted(row.key for row in rows[:4])
    assert sorted(stage.rows) == sorted(Row(key, None) for key in keys)
    assert keyframes.keys_of("d") == []
    assert len(keyframes.keys_of("d-1")) == 2


def test_keyframes_are_stored_by_their_keys() -> None:
    store = MemoryStore()
    keyframes = Keyframes(StoreKeyValueStore(store), SETTINGS)

    stage = keyframes.stage()
    stage.put({record_key(STREAM, 4): b"s", record_key(STREAM, 9): b"t"})
    store.write(keyframe_rows(stage.rows), {}, now_ms=1)

    assert list(keyframes.nearest(STREAM)) == [(9, b"t"), (4, b"s")]
