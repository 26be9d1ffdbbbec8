"""When something happened: UTC with microseconds, one text form."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType

from docreactor.pipeline.errors import InvalidOperationTimestampError

Microseconds = NewType("Microseconds", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(text: str) -> Microseconds:
    """Read `YYYY-MM-DDThh:mm:ss[.f{1,6}]Z`; anything else is InvalidOperationTimestamp."""
    if not _FORM.fullmatch(text):
        raise InvalidOperationTimestampError(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as cause:
        raise InvalidOperationTimestampError(text) from cause
    since = moment - _EPOCH
    return Microseconds((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    # Not strftime: its %Y has no leading zeros.
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def render(moment: Microseconds) -> str:
    """The text form with exactly six fractional digits: texts compare as their times do."""
    seconds, fraction = divmod(moment, 1_000_000)
    return f"{_second(seconds)}.{fraction:06d}Z"
