"""The time that an action has in its stream."""

from __future__ import annotations

from docreactor.pipeline.errors import InvalidOperationTimestampError
from docreactor.pipeline.timestamp import Microseconds, parse, render

_LAST = parse("9999-12-31T23:59:59.999999Z")


def stamp(
    given: str | None, now: Microseconds, *, newest_us: int, skew_max_ms: int
) -> Microseconds:
    """Its own time, or the present one, which is always later than its stream's newest.

    InvalidOperationTimestamp for a time of its own that is too far ahead, and where the stream's
    newest is the last there is.
    """
    if given is None:
        if newest_us >= _LAST:
            raise InvalidOperationTimestampError(render(_LAST), "is the stream's newest: none fits")
        return Microseconds(max(now, newest_us + 1))
    moment = parse(given)
    if moment > now + skew_max_ms * 1000:
        raise InvalidOperationTimestampError(given, f"is over {skew_max_ms} ms ahead")
    return moment
