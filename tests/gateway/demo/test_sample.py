"""The generated history holds what a real one may hold, and is the same everywhere."""

from __future__ import annotations

from pathlib import Path

from docreactor.gateway.demo.sample import story, write_repository
from docreactor.gateway.git.history import Repository


def test_the_same_story_has_the_same_ids_everywhere(tmp_path: Path) -> None:
    first = Repository.open(write_repository(tmp_path / "one"))
    second = Repository.open(write_repository(tmp_path / "two"))

    assert first.head == second.head
    assert first.commit_count == len(story())


def test_the_story_has_every_kind_of_change(tmp_path: Path) -> None:
    read = list(Repository.open(write_repository(tmp_path / "r")).commits())
    modes = [(change.path, change.mode) for _, changes in read for change in changes]

    assert {mode for _, mode in modes} == {"100644", "100755", "120000", "000000"}
    gone = {path for path, mode in modes if mode == "000000"}
    assert any(mode != "000000" and path in gone for path, mode in modes[-3:])
    assert b"pictures/cover.bin" in dict(modes)
