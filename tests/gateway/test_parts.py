"""Many names become calls that each are short enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from docreactor.gateway.parts import CHARACTERS_MAX, parts_of
from docreactor.gateway.requests import LIMIT_MAX

NAMES = st.lists(st.integers(1, 9_000).map(lambda length: "n" * length), max_size=20)


@given(names=NAMES)
def test_every_name_is_in_one_part_and_the_order_stays(names: list[str]) -> None:
    parts = list(parts_of(names))

    assert [name for part in parts for name in part] == names
    assert all(parts)


@given(names=NAMES)
def test_a_part_is_short_or_one_name_alone(names: list[str]) -> None:
    for part in parts_of(names):
        assert len(part) == 1 or sum(map(len, part)) <= CHARACTERS_MAX


def test_a_part_holds_no_more_names_than_a_page() -> None:
    assert [len(part) for part in parts_of(["n"] * (LIMIT_MAX + 1))] == [LIMIT_MAX, 1]


def test_no_names_are_no_part() -> None:
    assert list(parts_of([])) == []
