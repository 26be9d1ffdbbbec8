"""What was used least recently goes first."""

from __future__ import annotations

from docreactor.tables.lru import Lru


def _filled(count_max: int, *keys: str) -> Lru[str, str]:
    lru: Lru[str, str] = Lru(count_max)
    for key in keys:
        lru.put(key, key.upper())
    return lru


def test_one_too_many_drops_the_one_put_first() -> None:
    lru = _filled(2, "a", "b", "c")

    assert list(lru) == ["b", "c"]
    assert lru.get("a") is None
    assert lru.get("b") == "B"


def test_getting_is_a_use() -> None:
    lru = _filled(2, "a", "b")
    lru.get("a")
    lru.put("c", "C")

    assert list(lru) == ["a", "c"]


def test_putting_again_is_a_use_and_replaces_the_value() -> None:
    lru = _filled(2, "a", "b")
    lru.put("a", "new")
    lru.put("c", "C")

    assert lru.get("a") == "new"
    assert len(lru) == 2


def test_with_room_for_one_only_the_newest_stays() -> None:
    assert list(_filled(1, "a", "b", "c")) == ["c"]


def test_peeking_is_no_use() -> None:
    lru = _filled(2, "a", "b")
    assert lru.peek("a") == "A"
    lru.put("c", "C")

    assert list(lru) == ["b", "c"]
    assert lru.peek("a") is None


def test_touching_is_a_use_of_what_is_there() -> None:
    lru = _filled(2, "a", "b")
    lru.touch("a")
    lru.touch("never there")

    assert list(lru) == ["b", "a"]


def test_putting_one_too_many_returns_the_value_that_had_to_go() -> None:
    lru = _filled(2, "a", "b")

    assert lru.put("b", "new") is None
    assert lru.put("c", "C") == "A"


def test_evicting_returns_the_least_recently_used_until_there_is_none() -> None:
    lru = _filled(3, "a", "b")
    lru.get("a")

    assert [lru.evict(), lru.evict(), lru.evict()] == ["B", "A", None]
    assert len(lru) == 0


def test_removing_returns_what_was_there() -> None:
    lru = _filled(3, "a", "b")

    assert lru.remove("a") == "A"
    assert lru.remove("a") is None
    assert list(lru) == ["b"]


def test_clearing_leaves_nothing_behind() -> None:
    lru = _filled(9, "a", "b")
    lru.clear()

    assert len(lru) == 0
    assert lru.get("a") is None
