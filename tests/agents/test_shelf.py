"""The tables that this process has open."""

import secrets
from pathlib import Path

import pytest

from docreactor.agents.shelf import Shelf
from docreactor.pipeline.errors import StoreClosedError, StoreLockedError
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.tables.memory import MemoryStore
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import StoreIdentity


class Disk:
    """Opens stores, and knows which."""

    def __init__(self) -> None:
        self.opened: dict[str, MemoryStore] = {}
        self.locked: str | None = None

    def open(self, name: str) -> MemoryStore:
        if name == self.locked:
            raise StoreLockedError(name)
        store = self.opened[name] = MemoryStore()
        return store

    def is_closed(self, name: str) -> bool:
        try:
            self.opened[name].positions()
        except StoreClosedError:
            return True
        return False


def _shelf(disk: Disk) -> Shelf:
    return Shelf(disk.open, Replay(Registry([])), Settings())


def test_a_partition_has_a_store_for_its_reducer_and_one_for_each_read_model() -> None:
    disk = Disk()
    shelf = _shelf(disk)
    tables = shelf.take(3)
    assert disk.opened == {"3/write": tables.write_store}
    documents = shelf.store(3, "documents")
    assert disk.opened == {"3/write": tables.write_store, "3/documents": documents}
    assert shelf.store(3, "documents") is documents


async def test_what_is_discarded_is_empty_when_it_is_opened_again() -> None:
    disk = Disk()
    shelf = _shelf(disk)
    store = shelf.store(3, "documents-1")
    store.begin(StoreIdentity("e" * 32, 1))
    store.write([(b"key", b"value")], {}, now_ms=1)
    await shelf.discard(3, "documents-1")
    assert disk.is_closed("3/documents-1")
    assert shelf.store(3, "documents-1").identity is None


async def test_what_is_discarded_is_in_no_file(tmp_path: Path) -> None:
    shelf = Shelf(lambda name: RocksStore.open(tmp_path / name), Replay(Registry([])), Settings())
    text = secrets.token_bytes(24)
    for turn in range(2):
        store = shelf.store(3, "models/words-1")
        store.begin(StoreIdentity("e" * 32, turn))
        store.write([(b"key", text)], {}, now_ms=1)
        if turn:
            store.compact(b"", b"\xff")
            assert any(text in one.read_bytes() for one in _files(tmp_path))
        await shelf.discard(3, "models/words-1")
        assert not any(text in one.read_bytes() for one in _files(tmp_path))
    shelf.close()


def _files(directory: Path) -> list[Path]:
    return [one for one in directory.rglob("*") if one.suffix in (".sst", ".log")]


def test_tables_are_opened_once() -> None:
    shelf = _shelf(Disk())
    assert shelf.take(3) is shelf.take(3)


def test_what_comes_back_is_open_still() -> None:
    disk = Disk()
    shelf = _shelf(disk)
    tables = shelf.take(3)
    shelf.keep(frozenset({3}))
    assert shelf.take(3) is tables
    assert not disk.is_closed("3/write")


def test_what_went_elsewhere_is_closed() -> None:
    disk = Disk()
    shelf = _shelf(disk)
    before = shelf.take(3)
    shelf.store(3, "documents")
    shelf.take(4)
    shelf.keep(frozenset({4}))
    assert disk.is_closed("3/write")
    assert disk.is_closed("3/documents")
    assert not disk.is_closed("4/write")
    assert shelf.take(3) is not before


def test_at_the_end_everything_is_closed() -> None:
    disk = Disk()
    shelf = _shelf(disk)
    shelf.take(3)
    shelf.take(4)
    shelf.close()
    shelf.close()
    assert all(disk.is_closed(name) for name in disk.opened)


def test_a_read_model_whose_store_is_locked_keeps_its_partition_from_nothing() -> None:
    disk = Disk()
    disk.locked = "3/documents"
    shelf = _shelf(disk)
    tables = shelf.take(3)
    with pytest.raises(StoreLockedError):
        shelf.store(3, "documents")
    assert shelf.take(3) is tables
    disk.locked = None
    assert shelf.store(3, "documents") is disk.opened["3/documents"]


def test_the_figures_of_the_write_caches_are_those_of_the_open_partitions() -> None:
    shelf = _shelf(Disk())
    shelf.take(3)
    shelf.take(4)
    assert {number: one.streams for number, one in shelf.figures().items()} == {3: 0, 4: 0}
    shelf.keep(frozenset({4}))
    assert list(shelf.figures()) == [4]
