"""What a write cache tells of itself."""

from __future__ import annotations

from docreactor.tables.cache_figures import CacheFigures

NOTHING = CacheFigures(0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_the_hit_rate_is_the_part_of_the_answers_that_was_there() -> None:
    assert NOTHING._replace(hits=8, warm=1, cold=1).hit_rate == 0.8


def test_before_the_first_answer_there_is_no_hit_rate() -> None:
    assert NOTHING.hit_rate is None
