"""When something happened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.errors import InvalidOperationTimestampError
from docreactor.pipeline.timestamp import Microseconds, parse, render

LEAST = -62_135_596_800_000_000
GREATEST = 253_402_300_799_999_999
MOMENTS = st.integers(LEAST, GREATEST).map(Microseconds)


@given(MOMENTS)
def test_every_moment_has_one_text_that_is_read_back(moment: Microseconds) -> None:
    assert parse(render(moment)) == moment
    assert len(render(moment)) == 27


@given(MOMENTS, MOMENTS)
def test_texts_compare_as_their_times_do(one: Microseconds, other: Microseconds) -> None:
    assert (render(one) < render(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-11-21T00:00:00Z", 0),
        ("2026-11-21T00:00:00.1Z", 100_000),
        ("2026-11-21T00:00:00.12Z", 120_000),
        ("2026-11-21T00:00:00.123456Z", 123_456),
    ],
)
def test_up_to_six_fractional_digits_are_accepted(text: str, microsecond: int) -> None:
    moment = datetime(2026, 11, 21, 0, 0, 0, microsecond, tzinfo=UTC)

    assert parse(text) == int(moment.timestamp()) * 1_000_000 + microsecond
    assert render(parse(text)) == f"2026-11-21T00:00:00.{microsecond:06d}Z"


def test_the_years_before_1000_keep_their_four_digits() -> None:
    assert render(parse("0999-01-01T00:00:00Z")) == "0999-01-01T00:00:00.000000Z"
    assert render(Microseconds(LEAST)) == "0001-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21T00:00:00",
        "2026-11-21T00:00:00z",
        "2026-11-21 00:00:00Z",
        "2026-11-21T00:00:00+00:00",
        "2026-11-21T00:00:00.Z",
        "2026-11-21T00:00:00.1234567Z",
        "2026-11-21T00:00:00Z\n",
        "2026-02-30T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "２０２６-11-21T00:00:00Z",
    ],
)
def test_anything_else_is_no_timestamp(text: str) -> None:
    with pytest.raises(InvalidOperationTimestampError, match="must be YYYY-MM-DDThh:mm:ss"):
        parse(text)
