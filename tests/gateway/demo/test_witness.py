"""The witness says what git says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docreactor.gateway.demo.sample import Entry, Step, write_repository
from docreactor.gateway.demo.witness import Witness
from docreactor.gateway.git.contents import Content, contents
from docreactor.gateway.git.history import Repository

STEPS = [
    Step("one", (Entry("a*", b"1\n"), Entry("dir/b", b"b\n", "100755"))),
    Step("two", (Entry("a*", None),)),
    Step("three", (Entry("a*", b"3\n"), Entry("axe", b"x\n"))),
    Step("four", (Entry("a*", b"4\n"), Entry("link", b"axe", "120000"))),
    Step("five", (Entry("sub", b"1" * 40, "160000"),)),
]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.open(write_repository(tmp_path / "r", STEPS))


@pytest.fixture
def witness(repository: Repository) -> Iterator[Witness]:
    with contents(repository.path, text_bytes_max=1_000) as source:
        yield Witness(repository, source)


def test_it_lists_what_is_there_with_what_it_holds(witness: Witness) -> None:
    listing = {one.path: (one.mode, witness.content(one).text) for one in witness.listing()}

    assert listing == {
        "a*": ("100644", "4\n"),
        "axe": ("100644", "x\n"),
        "dir/b": ("100755", "b\n"),
        "link": ("120000", "axe"),
        "sub": ("160000", f"Subproject commit {'1' * 40}\n"),
    }


def test_it_tells_what_is_in_each_folder_and_which_folders_a_path_is_in(witness: Witness) -> None:
    assert witness.trees() == {"/": {"a*", "axe", "dir/", "link", "sub"}, "dir/": {"dir/b"}}
    assert witness.folders_of("dir/b") == ["dir/", "/"]
    assert witness.folders_of("a*") == ["/"]


def test_the_commits_of_a_path_are_those_since_it_last_came(
    repository: Repository, witness: Witness
) -> None:
    ids = {commit.subject: commit.id for commit, _ in repository.commits()}

    assert witness.commits("a*") == [ids["three"], ids["four"]]
    assert witness.commits("dir/b") == [ids["one"]]


def test_it_tells_what_a_path_held_after_any_commit(
    repository: Repository, witness: Witness
) -> None:
    first = next(iter(repository.commits()))[0]

    assert witness.content_at(first.id, "a*") == Content.of(b"1\n")
