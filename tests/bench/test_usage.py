"""Processor time and memory of a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from docreactor.bench.usage import clock_s, usage_of


def test_a_process_that_works_has_used_time_and_holds_memory() -> None:
    before = usage_of(os.getpid())
    while usage_of(os.getpid()).cpu_s <= before.cpu_s:
        sum(range(10_000))

    assert before.rss_bytes > 1_000_000


def test_a_process_that_is_gone_has_used_nothing_that_can_be_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    with pytest.raises(ProcessLookupError):
        usage_of(process.pid)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("00:07", 7), ("12:00:01", 43_201), ("1-00:00:00", 86_400), ("1:02.50", 62.5)],
)
def test_the_clock_of_ps_is_read_in_each_of_its_forms(said: str, seconds: float) -> None:
    assert clock_s(said) == seconds
