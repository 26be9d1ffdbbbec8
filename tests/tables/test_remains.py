"""Where erased rows lay is remembered in their store until it is done with."""

from __future__ import annotations

from docreactor.tables.memory import MemoryStore
from docreactor.tables.remains import Remains, together

RANGES = [(b"o/d/", b"o/d0"), (b"g/\0\xff", b"g/\0\xff\0")]


def test_any_range_comes_back_as_it_was_given() -> None:
    store = MemoryStore()
    remains = Remains(store)

    store.write([remains.row("d", RANGES), remains.row("e", ())], {}, now_ms=1)

    assert remains.some(9) == [("d", RANGES), ("e", [])]
    assert remains.some(1) == [("d", RANGES)]
    assert remains.of(["nobody", "e"]) == [("e", [])]


def test_what_is_done_is_forgotten() -> None:
    store = MemoryStore()
    remains = Remains(store)
    store.write([remains.row("d", RANGES), remains.row("e", RANGES)], {}, now_ms=1)

    store.write([remains.done_row("d")], {}, now_ms=1)

    assert remains.some(9) == [("e", RANGES)]


def test_its_own_rows_lie_in_its_own_range() -> None:
    remains = Remains(MemoryStore())
    start, end = remains.own_range([("d", RANGES), ("b", RANGES)])

    assert start == remains.row("b", ()).key
    assert start <= remains.row("d", ()).key < end
    assert not start <= remains.row("d-1", ()).key < end


def test_ranges_of_many_are_one_for_each_space() -> None:
    others = [(b"o/a/", b"o/a0"), (b"j/1", b"j/2")]

    assert together([("d", RANGES), ("a", others)]) == [
        (b"o/a/", b"o/d0"),
        (b"g/\0\xff", b"g/\0\xff\0"),
        (b"j/1", b"j/2"),
    ]
