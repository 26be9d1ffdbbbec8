"""A cursor continues the list that gave it, and no other."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.errors import InvalidInputError
from docreactor.tables.edge_page import read_cursor, write_cursor

NAMES = st.from_regex(r"[A-Za-z0-9._~+=@:-]{1,200}", fullmatch=True)


@given(parts=st.lists(NAMES, max_size=5))
def test_parts_come_back_from_a_cursor_that_a_url_can_carry(parts: list[str]) -> None:
    cursor = write_cursor("out", parts)

    assert read_cursor(cursor, "out", len(parts)) == parts
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "?", "é", "a" * 9, "w4Ew", write_cursor("in", ("a",)), write_cursor("out", ())],
)
def test_a_cursor_of_something_else_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor: must be one that a reply"):
        read_cursor(cursor, "out", 1)
