"""Whether a worker over a directory has served before."""

from __future__ import annotations

from pathlib import Path

from docreactor.agents.first_start import has_served, remember_serving


def test_a_new_directory_has_not_served(tmp_path: Path) -> None:
    assert not has_served(tmp_path, "127.0.0.1:9092")


def test_a_directory_that_served_is_known_by_its_broker(tmp_path: Path) -> None:
    remember_serving(tmp_path, "127.0.0.1:9092")

    assert has_served(tmp_path, "127.0.0.1:9092")
    assert not has_served(tmp_path, "elsewhere:9092"), "a mistyped address must be told at once"


def test_the_last_broker_is_the_one_that_counts(tmp_path: Path) -> None:
    remember_serving(tmp_path, "old:9092")
    remember_serving(tmp_path, "new:9092")

    assert has_served(tmp_path, "new:9092")
    assert not has_served(tmp_path, "old:9092")
