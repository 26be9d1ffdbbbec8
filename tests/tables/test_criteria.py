"""Cursors continue the search that gave them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.errors import InvalidInputError
from docreactor.tables.criteria import id_cursor, place_cursor, read_id, read_place


@given(place=st.integers(0, 10**9))
def test_a_place_comes_back_from_its_cursor(place: int) -> None:
    assert read_place(place_cursor(place)) == place


@given(document_id=st.from_regex(r"[A-Za-z0-9._~+=@-]{1,200}", fullmatch=True))
def test_an_id_comes_back_from_a_cursor_that_a_url_can_carry(document_id: str) -> None:
    cursor = id_cursor(document_id)

    assert read_id(cursor) == document_id
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)


def test_no_cursor_is_the_beginning() -> None:
    assert read_place(None) == 0
    assert read_id(None) == ""


@pytest.mark.parametrize(
    "cursor", ["", "x", "?", "é", "a" * 9, id_cursor("d"), place_cursor(-1), "w4Ew"]
)
def test_a_cursor_of_something_else_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        read_place(cursor)


def test_a_place_is_no_id() -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        read_id(place_cursor(3))
