"""The time that an action has in its stream."""

from __future__ import annotations

from docreactor.pipeline.errors import InvalidOperationTimestampError
from docreactor.pipeline.timestamp import Microseconds, parse, render


def stamp(
    given: str | None, now: Microseconds, *, newest_us: int, skew_max_ms: int
) -> Microseconds:
    """Its own time, or the present one; always later than its stream's newest.

    InvalidOperationTimestamp for a time of its own that is not later, or too far ahead.
    """
    if given is None:
        return Microseconds(max(now, newest_us + 1))
    moment = parse(given)
    if moment > now + skew_max_ms * 1000:
        raise InvalidOperationTimestampError(given, f"is over {skew_max_ms} ms ahead")
    if moment <= newest_us:
        newest = render(Microseconds(newest_us))
        raise InvalidOperationTimestampError(
            given, f"must be later than its stream's newest, {newest}"
        )
    return moment
