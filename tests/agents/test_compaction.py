"""What was erased leaves the files of every table, wherever a process ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from docreactor.agents.compaction import compact, compact_all, compact_remains
from docreactor.agents.node import Node
from docreactor.agents.shelf import OpenStore
from docreactor.pipeline.job import Erasure
from docreactor.tables.memory import MemoryStore
from docreactor.tables.remains import Remains
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import AnyRow, Row, Store, StoreIdentity
from tests.support.nodes import Site, done, live, site, until, until_compacted, until_ready
from tests.support.steps import Killed

SECRET = "correct-horse-battery"
IDENTITY = StoreIdentity("a" * 32, 1)


class Ending:
    """Ends the process at the n-th compaction of a table, and lets it write nothing afterwards."""

    def __init__(self, table: str, number: int) -> None:
        self.table = table
        self.left = number
        self.happened = False

    def reach(self, table: str) -> None:
        self.left -= table == self.table
        self.happened = self.happened or (self.left == 0 and table == self.table)
        self.check()

    def check(self) -> None:
        if self.happened:
            raise Killed("compact")


class MortalStore(RocksStore):
    """A store on disk of a process that ends."""

    ending = Ending("", 0)
    table = ""

    def compact(self, start: bytes, end: bytes) -> None:
        self.ending.reach(self.table)
        super().compact(start, end)

    def _apply(self, batch: object) -> None:
        self.ending.check()
        super()._apply(batch)  # type: ignore[arg-type]  # the class of a library without names


def opened(root: Path, ending: Ending | None = None) -> OpenStore:
    """Stores of a place on disk."""

    def open_store(name: str) -> Store:
        store = MortalStore.open(root / name)
        store.table = name.rpartition("/")[2]
        if ending is not None:
            store.ending = ending
        return store

    return open_store


def holds(root: Path, text: str = SECRET) -> list[str]:
    """The files of tables that a text is in, as it is or as it is remembered."""
    forms = [text.encode(), text.encode().hex().encode()]
    files = [path for path in root.glob("**/*") if path.suffix in (".sst", ".log")]
    return [path.name for path in files if any(form in path.read_bytes() for form in forms)]


def place() -> Site:
    return site(keyframe_policy="fixed", keyframe_interval=2)


async def fill(node: Node, at: Site) -> None:
    await done(node, at.creation("d", name=SECRET, slug=SECRET))
    for number in range(4):
        await done(node, at.job("d", [("ADD", {"amount": 1})], ids=[f"{SECRET}-{number}"]))
    await done(node, at.creation("e"))


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("table", ["write", "documents"])
async def test_a_process_that_ended_amid_it_leaves_it_to_the_next(
    tmp_path: Path, table: str, number: int
) -> None:
    at, ending = place(), Ending(table, 0)
    erasure = Erasure(id="e-0", document_id="d")
    try:
        async with at.node(open_store=opened(tmp_path, ending)) as node:
            await fill(node, at)
            ending.left = number
            await node.submit(erasure)
            end = at.cluster.partition(at.source(at.topics.actions)).end
            await until(lambda: ending.happened or at.committed() == end)
            if not ending.happened:
                await live(node).viewed.wait(live(node).written.next_offset, 10.0)
                await until_compacted(node)
    except* Killed:
        assert ending.happened
    # There are fewer ranges than the highest numbers here.
    assert ending.happened or number > 5
    if number == 1:
        assert holds(tmp_path / "0" / table)

    async with at.node(open_store=opened(tmp_path)) as node:
        await done(node, at.job("e", [("ADD", {"amount": 1})]))
        await until_compacted(node)
        assert live(node).operations.erased("d") is not None

    assert holds(tmp_path) == []


async def test_a_place_that_restores_both_the_document_and_its_erasure_keeps_nothing(
    tmp_path: Path,
) -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at)
        await done(node, Erasure(id="e-0", document_id="d"))

    async with at.node(open_store=opened(tmp_path)) as node:
        await until_compacted(node)

    assert holds(tmp_path) == []


async def test_a_place_that_was_away_keeps_nothing(tmp_path: Path) -> None:
    at = place()
    async with at.node(open_store=opened(tmp_path)) as node:
        await fill(node, at)
    async with at.node() as node:
        await done(node, Erasure(id="e-0", document_id="d"))

    async with at.node(open_store=opened(tmp_path)) as node:
        await until_compacted(node)

    assert holds(tmp_path) == []


async def test_a_table_that_begins_anew_keeps_nothing_of_what_it_held(tmp_path: Path) -> None:
    at = place()
    async with at.node(open_store=opened(tmp_path)) as node:
        await fill(node, at)
    async with at.node() as node:
        await done(node, Erasure(id="e-0", document_id="d"))
    for table in ("write", "documents"):
        with closing(RocksStore.open(tmp_path / "0" / table)) as store:
            assert store.identity is not None
            before = StoreIdentity(store.identity.log_id, store.identity.schema_version - 1)
            rows = list(store.scan(b"", b"\xff"))
            store.begin(before)
            store.write(rows, {at.topics.operations: 1}, now_ms=1)  # type: ignore[dict-item]

    async with at.node(open_store=opened(tmp_path)) as node:
        await until_ready(node)
        await until_compacted(node)

    assert holds(tmp_path) == []


class Told(MemoryStore):
    """Remembers what it was told to compact."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[bytes, bytes]] = []

    def compact(self, start: bytes, end: bytes) -> None:
        self.told.append((start, end))


def remember(store: Store, *document_ids: str) -> None:
    remains = Remains(store)
    rows: list[AnyRow] = []
    for one in document_ids:
        name = one.encode()
        rows.append(remains.row(one, [(b"o/%b/" % name, b"o/%b0" % name)]))
    store.write(rows, {}, now_ms=7)


async def test_only_what_is_asked_for_and_still_to_do_is_compacted() -> None:
    store = Told()
    remember(store, "a", "b", "c")

    await compact(store, ["b", "nobody"])
    await compact(store, [])

    assert store.told == [(b"o/b/", b"o/b0"), (b"c/b", b"c/b\0")]
    assert [name for name, _ in Remains(store).some(9)] == ["a", "c"]


async def test_many_are_compacted_together() -> None:
    store = Told()
    remember(store, *(f"d{number:03}" for number in range(120)))

    await compact_remains(store)

    assert Remains(store).some(1) == []
    assert store.told[:2] == [(b"o/d000/", b"o/d0490"), (b"c/d000", b"c/d049\0")]
    assert len(store.told) == 2 + 2 + 20 + 1


async def test_the_time_of_the_newest_write_stays() -> None:
    """It says how old the newest of the log is that the store has seen."""
    store = Told()
    remember(store, "a")

    await compact_remains(store)

    assert store.written_ms == 7


class SlowStore(MemoryStore):
    """Compacts until it is told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_end, self.has_ended = threading.Event(), threading.Event(), False

    def compact(self, start: bytes, end: bytes) -> None:
        self.begun.set()
        assert self.may_end.wait(10.0)
        self.has_ended = True


@pytest.fixture
def slow() -> Iterator[SlowStore]:
    store = SlowStore()
    yield store
    store.may_end.set()


async def test_whoever_is_cancelled_waits_for_the_thread(slow: SlowStore) -> None:
    running = asyncio.create_task(compact_all(slow))
    await asyncio.to_thread(slow.begun.wait, 10.0)

    for _ in range(2):
        running.cancel()
        await asyncio.sleep(0)
    slow.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert slow.has_ended


async def test_all_that_was_removed_is_in_no_file(tmp_path: Path) -> None:
    with closing(RocksStore.open(tmp_path)) as store:
        store.begin(IDENTITY)
        store.write([Row(b"o/d/%03d" % at, SECRET.encode() * 9) for at in range(300)], {}, now_ms=1)
        store.begin(IDENTITY)
        assert holds(tmp_path)

        await compact_all(store)

        assert holds(tmp_path) == []
