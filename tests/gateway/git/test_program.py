"""Git is run for what it prints; what it complains of is an error of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from docreactor.gateway.demo.sample import Entry, Step, write_repository
from docreactor.gateway.git.program import answer, running, texts
from docreactor.pipeline.errors import GitFailedError, GitMissingError


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write_repository(tmp_path / "r", [Step("one", (Entry("a", b"1"), Entry("b", b"2")))])


def test_an_answer_is_all_that_git_prints(repository: Path) -> None:
    assert answer(repository, "show", "HEAD:a") == b"1"


def test_texts_are_split_at_nul(repository: Path) -> None:
    assert list(texts(repository, "ls-tree", "-z", "--name-only", "HEAD")) == [b"a", b"b"]


def test_a_refusal_carries_gits_own_words(repository: Path) -> None:
    with pytest.raises(GitFailedError, match="git show HEAD:missing: fatal: path 'missing'"):
        answer(repository, "show", "HEAD:missing")
    with pytest.raises(GitFailedError, match="unknown revision"):
        list(texts(repository, "log", "-z", "nowhere"))


def test_a_reader_that_stops_early_ends_git(repository: Path) -> None:
    reading = texts(repository, "ls-tree", "-z", "--name-only", "HEAD")

    assert next(reading) == b"a"
    reading.close()


def test_git_ends_with_the_block_that_kept_it_open(repository: Path) -> None:
    with running(repository, "cat-file", "--batch") as (wanted, output):
        wanted.write(b"HEAD:b\n")
        wanted.flush()
        assert output.readline().endswith(b"blob 1\n")
        assert output.read(2) == b"2\n"


def test_a_machine_without_git_is_told_to_install_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository))

    with pytest.raises(GitMissingError, match="install git"):
        answer(repository, "version")
