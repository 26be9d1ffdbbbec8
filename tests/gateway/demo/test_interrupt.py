"""Ctrl-C that comes at a moment when nothing could be cleaned up."""

from __future__ import annotations

import signal

import pytest

from docreactor.gateway.demo.interrupt import interrupted_afterwards


def test_an_interrupt_is_heard_at_the_end_of_the_block() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interrupted_afterwards():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest of the block")
    assert done == ["the rest of the block"]


def test_without_one_nothing_happens_and_the_handler_is_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupted_afterwards():
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_of_the_block_is_told_as_it_is() -> None:
    with pytest.raises(OSError, match="no such program"), interrupted_afterwards():
        raise OSError("no such program")
