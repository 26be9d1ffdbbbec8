"""How long one reduce may take."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass


class DeadlinePassed(BaseException):
    """Raised inside the code that ran too long; no `except Exception` of a model catches it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """`deadline` is entered around each reduce and raises DeadlinePassed in it after the time."""

    deadline: AbstractContextManager[object]
    timeout_ms: int


UNBOUNDED = Bound(nullcontext(), 0)
"""For code that trusts its models."""
