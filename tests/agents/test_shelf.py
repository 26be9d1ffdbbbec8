"""The tables that this process has open."""

import pytest

from docreactor.agents.shelf import Shelf
from docreactor.pipeline.errors import StoreClosedError, StoreLockedError
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.tables.memory import MemoryStore


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


def test_a_partition_has_a_store_for_each_side() -> None:
    disk = Disk()
    tables = _shelf(disk).take(3)
    assert disk.opened == {"3/write": tables.write_store, "3/documents": tables.view_store}


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


def test_half_a_partition_is_none() -> None:
    disk = Disk()
    disk.locked = "3/documents"
    shelf = _shelf(disk)
    with pytest.raises(StoreLockedError):
        shelf.take(3)
    assert disk.is_closed("3/write")
    disk.locked = None
    assert shelf.take(3).view_store is disk.opened["3/documents"]


def test_the_figures_of_the_write_caches_are_those_of_the_open_partitions() -> None:
    shelf = _shelf(Disk())
    shelf.take(3)
    shelf.take(4)
    assert {number: one.streams for number, one in shelf.figures().items()} == {3: 0, 4: 0}
    shelf.keep(frozenset({4}))
    assert list(shelf.figures()) == [4]
