"""How often, and after which waits, a job is tried again."""

from __future__ import annotations

from typing import Any

from docreactor.agents.retrying import Retrying, given_up
from docreactor.pipeline.errors import StoreFailedError
from docreactor.pipeline.problem import problem
from docreactor.pipeline.settings import Settings


def _waits_s(random: float, **settings: Any) -> list[float]:
    return list(Retrying(Settings(**settings), lambda: random).waits_s())


def test_each_wait_is_twice_the_last_up_to_its_bound() -> None:
    assert _waits_s(1.0) == [0.1, 0.2, 0.4]
    assert _waits_s(1.0, retries_max=8)[-3:] == [3.2, 5.0, 5.0]
    assert _waits_s(1.0, retries_max=0) == []


def test_chance_shortens_a_wait_by_half_at_most() -> None:
    assert _waits_s(0.0) == [0.05, 0.1, 0.2]
    assert _waits_s(0.5, retries_max=1, retry_backoff_first_ms=1_000) == [0.75]
    assert _waits_s(1.0, retries_max=2, retry_backoff_first_ms=10, retry_backoff_max_ms=15) == [
        0.01,
        0.015,
    ]


def test_what_is_given_up_tells_every_attempt() -> None:
    told = problem(given_up([OSError(5, "no disk"), StoreFailedError("torn")]))
    assert told["title"] == "StoreFailed"
    assert told["detail"] == "torn"
    assert told["attempts"] == ["OSError: [Errno 5] no disk", "StoreFailed: torn"]
