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


def test_removing_tells_whether_there_was_one() -> None:
    lru = _filled(3, "a", "b")

    assert lru.remove("a")
    assert not lru.remove("a")
    assert list(lru) == ["b"]


def test_removing_by_a_condition_tells_how_many() -> None:
    lru = _filled(9, "aa", "ab", "b")

    assert lru.remove_where(lambda key: key.startswith("a")) == 2
    assert list(lru) == ["b"]


def test_clearing_leaves_nothing_behind() -> None:
    lru = _filled(9, "a", "b")
    lru.clear()

    assert len(lru) == 0
    assert lru.get("a") is None
