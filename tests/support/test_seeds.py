"""Which seed failed, and how to run it alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.seeds import Seeds

ROOT = Path(__file__).parents[2]


@pytest.mark.seeds(5, each=2)
def test_each_part_of_the_seeds_is_a_test(seeds: Seeds) -> None:
    assert list(seeds) in ([0, 1], [2, 3], [4])


def test_a_failure_names_its_seed_and_the_line_that_runs_it_again() -> None:
    with pytest.raises(AssertionError) as failed, Seeds(range(9), "tests/test_it.py::it").told(7):
        raise AssertionError

    (note,) = failed.value.__notes__
    assert note.startswith("seed 7, again: .venv/bin/python -m pytest")
    assert note.endswith("--seed 7 'tests/test_it.py::it'")


def test_that_line_runs_one_seed() -> None:
    wanted = "tests/support/test_seeds.py::test_each_part_of_the_seeds_is_a_test"
    command = [sys.executable, "-m", "pytest", "-m", "", "--collect-only", "-q", "-p"]
    command += ["no:cacheprovider", "--seed", "17", wanted]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line for line in told.stdout.splitlines() if "::" in line] == [f"{wanted}[17]"]
