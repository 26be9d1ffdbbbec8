"""How many changes a read model is given at once."""

from __future__ import annotations

from docreactor.agents.pace import CHANGES_MAX, Pace


def test_what_takes_long_is_given_in_smaller_parts_until_it_is_quick_again() -> None:
    pace = Pace()
    sizes: list[int] = []
    for seconds in (0.01, 0.03, 0.03, *[1.0] * 9, 0.01, *[0.001] * 9):
        pace.took(seconds)
        sizes.append(pace.count_max)
    assert sizes[:3] == [CHANGES_MAX, CHANGES_MAX // 2, CHANGES_MAX // 4]
    assert min(sizes) == 1
    assert sizes[-1] == CHANGES_MAX
