"""Whatever is done to a store in memory and to one on disk, they show the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docreactor.pipeline.position import Offset
from docreactor.tables.memory import MemoryStore
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import Row, Store, StoreIdentity

KEYS = st.binary(min_size=1, max_size=3) | st.sampled_from(
    [b"o/d/global/main/0000000001", b"o/d/global/main/0000000002", b"\0", b"\xff\xff"]
)
ROWS = st.lists(st.builds(Row, KEYS, st.none() | st.binary(max_size=4)), max_size=8)
POSITIONS = st.dictionaries(st.sampled_from(["operations", "jobs"]), st.integers(0, 9))
WRITES = st.lists(st.tuples(ROWS, POSITIONS, st.booleans()), max_size=6)
BOUNDS = st.binary(max_size=3)


@pytest.fixture(scope="module")
def rocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RocksStore]:
    with closing(RocksStore.open(tmp_path_factory.mktemp("rocks"))) as store:
        yield store


def _write(store: Store, writes: list[tuple[list[Row], dict[str, int], bool]]) -> None:
    for now_ms, (rows, positions, begins) in enumerate(writes):
        if begins:
            store.begin(StoreIdentity(f"{now_ms:032x}", now_ms))
        offsets = {topic: Offset(offset) for topic, offset in positions.items()}
        store.write(rows, offsets, now_ms=now_ms)


def _shown(store: Store, keys: list[bytes], start: bytes, end: bytes) -> list[object]:
    return [
        store.identity,
        store.written_ms,
        store.positions(),
        list(store.get_many(keys)),
        [store.get(key) for key in keys],
        *(list(store.scan(start, end, reverse=reverse)) for reverse in (False, True)),
        *(list(store.keys(start, end, reverse=reverse)) for reverse in (False, True)),
    ]


@settings(max_examples=150, deadline=None)
@given(writes=WRITES, keys=st.lists(KEYS, max_size=4), start=BOUNDS, end=BOUNDS)
def test_memory_and_disk_answer_alike(
    rocks: RocksStore,
    writes: list[tuple[list[Row], dict[str, int], bool]],
    keys: list[bytes],
    start: bytes,
    end: bytes,
) -> None:
    memory = MemoryStore()
    identity = StoreIdentity("f" * 32, 0)
    for store in (memory, rocks):
        store.begin(identity)
        _write(store, writes)

    assert _shown(rocks, keys, start, end) == _shown(memory, keys, start, end)


@settings(max_examples=10, deadline=None)
@given(writes=WRITES, keys=st.lists(KEYS, max_size=4))
def test_a_store_on_disk_shows_the_same_after_opening_it_again(
    writes: list[tuple[list[Row], dict[str, int], bool]], keys: list[bytes]
) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory)
        with closing(RocksStore.open(path)) as store:
            _write(store, writes)
            before = _shown(store, keys, b"", b"\xff" * 9)
        with closing(RocksStore.open(path)) as store:
            assert _shown(store, keys, b"", b"\xff" * 9) == before


def test_an_identity_is_equal_to_one_of_the_same_log_and_schema() -> None:
    assert StoreIdentity("a", 1) == StoreIdentity("a", 1)
    assert StoreIdentity("a", 1) != StoreIdentity("a", 2)
