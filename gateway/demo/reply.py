"""A question of the demo with its answer, and how long that took."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Reply:
    """A question, what came back, how long it took, and whether git says the same."""

    question: str
    answer: str
    ms: float
    agrees: bool


async def timed(ask: Callable[[], Awaitable[_Answer]]) -> tuple[_Answer, float]:
    """What was answered, and after how many milliseconds."""
    begun = perf_counter()
    return await ask(), ms_since(begun)


def ms_since(begun: float) -> float:
    """Milliseconds since a moment of `perf_counter`."""
    return (perf_counter() - begun) * 1_000
