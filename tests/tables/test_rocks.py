"""The store on disk keeps the contract, its rows and its lock."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from docreactor.pipeline.errors import StoreFailedError, StoreLockedError
from docreactor.pipeline.position import Offset
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import Row, Store
from tests.tables.contract import GREATEST, IDENTITY, LEAST, StoreContract, rows_of

OPEN_AND_WAIT = """
import sys
from pathlib import Path
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import Row, StoreIdentity
store = RocksStore.open(Path(sys.argv[1]))
store.begin(StoreIdentity("a" * 32, 1))
store.write([Row(b"k", b"v")], {"operations": 5}, now_ms=9)
sys.stdout.write("open\\n")
sys.stdout.flush()
sys.stdin.readline()
"""


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has written one row and keeps the store open."""
    with subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_WAIT, str(tmp_path / "shared")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


class TestRocksStore(StoreContract):
    """`RocksStore` is a store."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with closing(RocksStore.open(tmp_path / "a" / "store")) as store:
            yield store


def test_everything_survives_closing_and_opening(tmp_path: Path) -> None:
    with closing(RocksStore.open(tmp_path)) as store:
        store.begin(IDENTITY)
        store.write([Row(b"k", b"v"), Row(b"gone", b"v")], {"operations": Offset(5)}, now_ms=9)
        store.write([Row(b"gone", None)], {}, now_ms=10)

    with closing(RocksStore.open(tmp_path)) as again:
        assert again.identity == IDENTITY
        assert again.positions() == {"operations": 5}
        assert again.written_ms == 10
        assert rows_of(again) == [(b"k", b"v")]


def test_what_is_opened_again_has_the_filters_and_the_cache_that_it_was_made_with(
    tmp_path: Path,
) -> None:
    told: list[list[str]] = []
    for _ in range(2):
        RocksStore.open(tmp_path).close()
        words = ("filter_policy:", "partition_filters:", "capacity :", "Options.compression:")
        lines = (tmp_path / "LOG").read_text().splitlines()
        told.append([line.split()[-1] for line in lines if any(word in line for word in words)])

    assert told[0] == told[1]
    assert "bloomfilter" in told[1]


def test_beginning_anew_survives_closing_and_opening(tmp_path: Path) -> None:
    with closing(RocksStore.open(tmp_path)) as store:
        store.write([Row(b"%05d" % i, b"v") for i in range(10_000)], {}, now_ms=1)
        store.begin(IDENTITY)

    with closing(RocksStore.open(tmp_path)) as again:
        assert again.identity == IDENTITY
        assert rows_of(again) == []


def test_a_store_that_another_process_has_open_is_refused_by_name(
    tmp_path: Path, other_process: subprocess.Popen[str]
) -> None:
    with pytest.raises(StoreLockedError, match="shared"):
        RocksStore.open(tmp_path / "shared")


def test_what_a_killed_process_wrote_is_there(
    tmp_path: Path, other_process: subprocess.Popen[str]
) -> None:
    other_process.kill()
    other_process.wait(timeout=30)

    with closing(RocksStore.open(tmp_path / "shared")) as store:
        assert rows_of(store) == [(b"k", b"v")]
        assert store.positions() == {"operations": 5}


WRITE_UNLOGGED_AND_DIE = """
import os, sys
from pathlib import Path
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import Row, StoreIdentity
store = RocksStore.open(Path(sys.argv[1]))
store.begin(StoreIdentity("a" * 32, 1))
for at in range(1, 301):
    rows = [Row(b"%05d" % (100 * at + one), os.urandom(600)) for one in range(100)]
    store.write(rows, {"operations": at}, now_ms=9, is_logged=False)
if "flush" in sys.argv:
    store.flush()
if "log" in sys.argv:
    store.write([Row(b"last", b"v")], {"operations": 301}, now_ms=9)
os.kill(os.getpid(), 9)
"""


def _after_unlogged_writes(path: Path, *ending: str) -> tuple[int, int]:
    """How many rows and which position a killed process left."""
    command = [sys.executable, "-c", WRITE_UNLOGGED_AND_DIE, str(path), *ending]
    assert subprocess.run(command, check=False).returncode == -9
    with closing(RocksStore.open(path)) as store:
        return len(rows_of(store)), store.positions().get("operations", 0)


def test_unlogged_writes_that_a_kill_takes_are_the_newest_and_go_whole(tmp_path: Path) -> None:
    rows, position = _after_unlogged_writes(tmp_path)
    assert rows == 100 * position
    assert position < 300


def test_what_was_flushed_survives_a_kill(tmp_path: Path) -> None:
    assert _after_unlogged_writes(tmp_path, "flush") == (30_000, 300)


def test_a_logged_write_takes_the_unlogged_ones_before_it_along(tmp_path: Path) -> None:
    assert _after_unlogged_writes(tmp_path, "log") == (30_001, 301)


def test_a_store_is_opened_once_in_one_process_too(tmp_path: Path) -> None:
    with closing(RocksStore.open(tmp_path)), pytest.raises(StoreLockedError):
        RocksStore.open(tmp_path)


def test_closing_lets_go_of_the_lock_whatever_was_left_unfinished(tmp_path: Path) -> None:
    store = RocksStore.open(tmp_path)
    store.write([Row(b"%03d" % i, b"v") for i in range(100)], {}, now_ms=1)
    unfinished = [
        store.scan(LEAST, GREATEST),
        store.scan(LEAST, GREATEST, reverse=True),
        store.keys(LEAST, GREATEST),
        store.keys(LEAST, GREATEST, reverse=True),
    ]
    for rows in unfinished[:3]:
        next(rows)
    store.close()

    with closing(RocksStore.open(tmp_path)) as again:
        assert len(rows_of(again)) == 100
    assert len(unfinished) == 4


def test_a_directory_that_is_no_store_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("nonsense\n")

    with pytest.raises(StoreFailedError, match="CURRENT"):
        RocksStore.open(tmp_path)


def test_the_stores_of_eight_partitions_share_a_few_threads(tmp_path: Path) -> None:
    before = _threads()
    with ExitStack() as stack:
        for partition in range(16):
            store = stack.enter_context(closing(RocksStore.open(tmp_path / str(partition))))
            store.write([Row(b"k", b"v" * 1_000)], {}, now_ms=1)

        assert _threads() - before <= 8


def _threads() -> int:
    """Threads of this process, those that Python does not know of too."""
    status = Path("/proc/self/task")
    return len(list(status.iterdir())) if status.exists() else threading.active_count()


def _on_disk(directory: Path, text: bytes) -> list[str]:
    return [path.name for path in directory.iterdir() if text in path.read_bytes()]


def test_what_was_removed_and_compacted_is_in_no_file(tmp_path: Path) -> None:
    with closing(RocksStore.open(tmp_path)) as store:
        store.begin(IDENTITY)
        for document_id in (b"d", b"e"):
            rows = [Row(b"o/%b/%03d" % (document_id, at), b"%b-secret" % document_id * 9)
                    for at in range(300)]  # fmt: skip
            store.write(rows, {}, now_ms=1)
        store.write([Row(b"o/d/%03d" % at, None) for at in range(300)], {}, now_ms=1)
        assert _on_disk(tmp_path, b"d-secret")

        store.compact(b"o/d/", b"o/d0")

        assert _on_disk(tmp_path, b"d-secret") == []
        assert len(rows_of(store)) == 300
