"""A page of a read model's rows over all partitions."""

from __future__ import annotations

import random
from typing import Any

import pytest

from docreactor.gateway.reach import Gathered
from docreactor.gateway.row_page import Place, RowPage
from docreactor.gateway.rows import RowsQuery
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.position import Position

NOWHERE = Position("0" * 32, {})


def _gathered(*rows: tuple[str, int], more: bool = False) -> Gathered:
    items: list[Any] = [{"key": key, "value": 0, "partition": number} for key, number in rows]
    return Gathered(items, more, NOWHERE, "local")


def _page(**query: Any) -> RowPage:
    return RowPage.of("words", RowsQuery(**query))


@pytest.mark.parametrize("place", [Place("", 0), Place("é/🦊", 7), Place('a"b', 1_000)])
def test_a_place_is_read_back_from_its_cursor(place: Place) -> None:
    assert Place.read(place.cursor) == place
    assert place.cursor.isascii()


@pytest.mark.parametrize("cursor", ["!", "cDE", "", "WzEsMl0", "WyJhIl0", "bnVsbA", "é"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor: must be one that a reply"):
        Place.read(cursor)


def test_a_key_and_a_prefix_together_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="prefix: cannot be asked for together with key"):
        _page(key="a", prefix="")


def test_the_rows_of_all_are_put_into_one_order_and_cut() -> None:
    page = _page(limit=3)
    reply = page.reply(_gathered(("b", 1), ("a", 2), ("c", 0), ("a", 0)))
    assert [(row["key"], row["partition"]) for row in reply["rows"]] == [
        ("a", 0),
        ("a", 2),
        ("b", 1),
    ]
    assert reply["next_cursor"] == Place("b", 1).cursor


def test_the_last_page_leads_nowhere_unless_somebody_has_more() -> None:
    page = _page(limit=3)
    assert page.reply(_gathered(("a", 0)))["next_cursor"] is None
    assert page.reply(_gathered(("a", 0), more=True))["next_cursor"] == Place("a", 0).cursor
    assert page.reply(_gathered())["next_cursor"] is None


def test_order_is_that_of_code_points_as_the_stores_have_it() -> None:
    chance = random.Random(1)
    keys = ["".join(chance.choices("aé～🦊", k=3)) for _ in range(50)]
    reply = _page(limit=1_000).reply(_gathered(*((key, 0) for key in keys)))
    assert [row["key"] for row in reply["rows"]] == sorted(keys, key=str.encode)


def test_a_cursor_says_where_the_page_begins() -> None:
    assert _page(cursor=Place("a", 1).cursor).behind == Place("a", 1)
