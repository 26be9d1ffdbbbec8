"""How a long start tells what it does: one step, how much is done, of how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done. A total of 0 means that nobody can tell how long it takes."""

    what: str
    done: int = 0
    total: int = 0


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """For callers who watch nothing."""
