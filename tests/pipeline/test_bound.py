"""How long one reduce may take."""

from __future__ import annotations

from docreactor.pipeline.bound import UNBOUNDED, DeadlinePassed


def test_no_handler_of_a_model_catches_the_end_of_its_time() -> None:
    assert not issubclass(DeadlinePassed, Exception)


def test_what_is_unbounded_may_be_entered_again_and_again() -> None:
    for _ in range(2):
        with UNBOUNDED.deadline:
            pass
