"""The time that an action has in its stream."""

import pytest

from docreactor.agents.stamp import stamp
from docreactor.pipeline.errors import InvalidOperationTimestampError
from docreactor.pipeline.timestamp import parse, render

NOW = parse("2024-01-01T00:00:00Z")
LAST = "9999-12-31T23:59:59.999999Z"


def _stamp(given: str | None, *, newest_us: int = 0) -> str:
    return render(stamp(given, NOW, newest_us=newest_us, skew_max_ms=1_000))


def test_without_a_time_of_its_own_it_is_now() -> None:
    assert _stamp(None) == "2024-01-01T00:00:00.000000Z"


def test_a_stream_that_is_ahead_goes_on_from_there() -> None:
    assert _stamp(None, newest_us=NOW + 7) == "2024-01-01T00:00:00.000008Z"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000000Z"),
        ("2024-01-01T00:00:01Z", "2024-01-01T00:00:01.000000Z"),
    ],
)
def test_a_time_of_its_own_is_kept(given: str, kept: str) -> None:
    assert _stamp(given) == kept


@pytest.mark.parametrize("given", ["2024-01-01T00:00:01.000001Z", LAST])
def test_a_time_too_far_ahead_is_refused(given: str) -> None:
    with pytest.raises(InvalidOperationTimestampError, match="ahead"):
        _stamp(given)


def test_a_time_of_its_own_may_lie_before_its_streams_newest() -> None:
    assert _stamp("2024-01-01T00:00:00Z", newest_us=NOW + 1) == "2024-01-01T00:00:00.000000Z"


def test_after_the_end_of_time_nothing_fits() -> None:
    with pytest.raises(InvalidOperationTimestampError, match="none fits"):
        _stamp(None, newest_us=parse(LAST))


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(InvalidOperationTimestampError):
        _stamp("yesterday")
