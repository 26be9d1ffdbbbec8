"""Cursors continue the list that gave them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.errors import InvalidInputError
from docreactor.tables.criteria import (
    Life,
    Order,
    Place,
    listing_cursor,
    place_cursor,
    read_listing,
    read_place,
    read_slug,
    slug_cursor,
)

TIME = "2026-11-21T00:00:00.000001Z"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=1_000)


@given(place=st.integers(0, 10**9))
def test_a_place_comes_back_from_its_cursor(place: int) -> None:
    assert read_place(place_cursor(place)) == place


@given(
    document_id=st.from_regex(r"[A-Za-z0-9._~+=@-]{1,200}", fullmatch=True),
    order=st.sampled_from(Order),
)
def test_a_document_comes_back_from_a_cursor_that_a_url_can_carry(
    document_id: str, order: Order
) -> None:
    cursor = listing_cursor(order, Place(document_id, TIME))

    place = read_listing(order, cursor)
    assert place is not None
    assert place.document_id == document_id
    assert order is Order.ID or place.last_modified_at == TIME
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)


@given(slug=TEXT)
def test_a_slug_comes_back_from_its_cursor(slug: str) -> None:
    assert read_slug(slug_cursor(slug)) == slug


def test_no_cursor_is_the_beginning() -> None:
    assert read_place(None) == 0
    assert read_slug(None) == ""
    for order in Order:
        assert read_listing(order, None) is None


@pytest.mark.parametrize("cursor", ["", "x", "?", "é", "a" * 9, place_cursor(-1), "w4Ew"])
def test_a_cursor_of_something_else_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        read_place(cursor)
    with pytest.raises(InvalidInputError, match="cursor"):
        read_slug(cursor)
    for order in Order:
        with pytest.raises(InvalidInputError, match="cursor"):
            read_listing(order, cursor)


def test_a_cursor_of_another_order_is_refused() -> None:
    for given_by in Order:
        cursor = listing_cursor(given_by, Place("d", TIME))
        for order in set(Order) - {given_by}:
            with pytest.raises(InvalidInputError, match="cursor"):
                read_listing(order, cursor)


@pytest.mark.parametrize("since", ["", "2026", TIME[:-1] + "X", "2026-11-21T00:00:00Z0000000d"])
def test_a_cursor_whose_time_is_none_is_refused(since: str) -> None:
    cursor = listing_cursor(Order.NEWEST, Place("d", since))

    with pytest.raises(InvalidInputError, match="cursor"):
        read_listing(Order.NEWEST, cursor)


def test_a_place_is_no_document() -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        read_listing(Order.ID, place_cursor(3))


def test_who_is_meant_is_said_of_the_living_and_the_deleted() -> None:
    said = {life: [life.means(is_deleted=one) for one in (False, True)] for life in Life}

    assert said == {
        Life.LIVING: [True, False],
        Life.DELETED: [False, True],
        Life.EITHER: [True, True],
    }
