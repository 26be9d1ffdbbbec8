"""A transactor is good until something spends it."""

from __future__ import annotations

import pytest

from docreactor.agents.log.standing import Standing
from docreactor.pipeline.errors import FencedError, LogError


def test_a_new_one_is_good_and_no_reason_keeps_it_so() -> None:
    standing = Standing()
    standing.spend(None)

    standing.check()
    assert not standing.is_spent


def test_a_spent_one_says_what_spent_it() -> None:
    standing = Standing()
    standing.spend(LogError("the broker was away"))

    with pytest.raises(LogError, match="open the transactor again: the broker was away"):
        standing.check()


def test_fenced_outranks_what_comes_before_and_after() -> None:
    standing = Standing()
    standing.spend(LogError("before"))
    standing.spend(FencedError("fenced"))
    standing.spend(LogError("after"))

    with pytest.raises(FencedError, match="fenced"):
        standing.check()
