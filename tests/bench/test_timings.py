"""Spreads of timings."""

from __future__ import annotations

import pytest

from docreactor.bench.timings import spread


def test_a_spread_names_the_median_the_hundredth_and_the_longest() -> None:
    found = spread([number / 1_000 for number in range(200, 0, -1)])

    assert found.p50_ms == pytest.approx(100)
    assert found.p99_ms == pytest.approx(198)
    assert found.max_ms == pytest.approx(200)


def test_one_sample_is_its_own_spread() -> None:
    found = spread([0.004])

    assert found.p50_ms == found.p99_ms == found.max_ms == pytest.approx(4)


def test_nothing_has_no_spread() -> None:
    with pytest.raises(ValueError, match="nothing was timed"):
        spread([])


def test_a_spread_is_three_figures_each_with_its_own_goal() -> None:
    figures = spread([0.001] * 5).figures("HTTP", goal_p50="at most 8", goal_p99="at most 80")

    assert [figure.name for figure in figures] == ["HTTP, p50", "HTTP, p99", "HTTP, max"]
    assert [figure.goal for figure in figures] == ["at most 8", "at most 80", ""]
