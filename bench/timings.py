"""How long a kind of thing took, many times over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from docreactor.bench.report import Figure


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds: the median, what one in a hundred exceeds, the longest."""

    p50_ms: float
    p99_ms: float
    max_ms: float

    def figures(self, name: str, *, goal_p50: str = "", goal_p99: str = "") -> list[Figure]:
        """One figure each."""
        return [
            Figure(f"{name}, p50", self.p50_ms, "ms", goal_p50),
            Figure(f"{name}, p99", self.p99_ms, "ms", goal_p99),
            Figure(f"{name}, max", self.max_ms, "ms"),
        ]


def spread(samples_s: Sequence[float]) -> Spread:
    """The spread of these seconds, by nearest rank. ValueError when there are none."""
    if not samples_s:
        raise ValueError("nothing was timed")
    ordered = sorted(samples_s)
    return Spread(
        _rank(ordered, 0.5) * 1_000,
        _rank(ordered, 0.99) * 1_000,
        ordered[-1] * 1_000,
    )


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
