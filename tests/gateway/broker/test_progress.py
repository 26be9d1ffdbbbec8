"""How a long start tells what it does."""

from __future__ import annotations

from docreactor.gateway.broker.progress import Step, silent


def test_a_step_without_a_total_has_no_known_end() -> None:
    step = Step("Starting")
    assert (step.done, step.total) == (0, 0)
    silent(step)
