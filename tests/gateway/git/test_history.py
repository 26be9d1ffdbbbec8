"""A history is read as git tells it, oldest first, each commit with its own stamp."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from docreactor.gateway.demo.sample import Entry, Step, story, write_repository
from docreactor.gateway.git.history import Change, Repository
from docreactor.pipeline.errors import (
    EmptyHistoryError,
    NotARepositoryError,
    ShallowHistoryError,
)


def git(path: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git as a user with an identity and a fixed clock."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    done = subprocess.run(
        ["git", "-C", str(path), *identity, *arguments],
        input=stdin,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def changed(changes: tuple[Change, ...]) -> dict[bytes, str]:
    return {change.path: change.mode for change in changes}


def test_commits_come_oldest_first_with_what_they_changed(tmp_path: Path) -> None:
    steps = [
        Step("one", (Entry("a", b"1\n"), Entry("dir/b", b"2\n"))),
        Step("two", (Entry("a", None), Entry("dir/b", b"2\n", "100755"))),
        Step("three", ()),
        Step("four", (Entry("a", b"dir/b", "120000"),)),
    ]
    repository = Repository.open(write_repository(tmp_path / "r", steps))

    read = list(repository.commits())

    assert repository.commit_count == 4
    assert [commit.subject for commit, _ in read] == ["one", "two", "three", "four"]
    assert read[-1][0].id == repository.head == git(tmp_path / "r", "rev-parse", "main").strip()
    assert [changed(changes) for _, changes in read] == [
        {b"a": "100644", b"dir/b": "100644"},
        {b"a": "000000", b"dir/b": "100755"},
        {},
        {b"a": "120000"},
    ]
    assert [change.removes for change in read[1][1]] == [True, False]
    assert read[0][0].author == "Ada Example"
    assert read[1][0].email == "bo@example.org"


def test_a_rename_is_a_removal_and_an_addition(tmp_path: Path) -> None:
    content = b"a text that is long enough to be found again\n" * 10
    steps = [
        Step("one", (Entry("old", content),)),
        Step("two", (Entry("old", None), Entry("new", content))),
    ]
    path = write_repository(tmp_path / "r", steps)
    git(path, "config", "diff.renames", "copies")

    *_, (_, changes) = Repository.open(path).commits()

    assert changed(changes) == {b"old": "000000", b"new": "100644"}


def test_paths_and_subjects_may_hold_anything_but_nul(tmp_path: Path) -> None:
    paths = ['q"uote', "new\nline", "\n:100644 x", "tab\t", "\N{OWL}", " ", "back\\slash", "\x01"]
    steps = [Step(f"\x01:{path}", (Entry(path, b"x"),)) for path in paths]

    read = list(Repository.open(write_repository(tmp_path / "r", steps)).commits())

    assert [changes[0].path.decode() for _, changes in read] == paths


def test_each_stamp_is_later_than_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "r"
    write_repository(path, [Step("one", (Entry("a", b"1"),))])
    tree = git(path, "rev-parse", "main^{tree}").strip()
    parent = git(path, "rev-parse", "main").strip()
    first = 1_700_000_000
    for moment in (first, first, first - 100, first + 100):
        text = f"tree {tree}\nparent {parent}\nauthor A <a@b> 86400 +0200\n"
        text += f"committer A <a@b> {moment} +0200\n\nx\n"
        parent = git(
            path, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()
        ).strip()
    git(path, "update-ref", "refs/heads/main", parent)

    commits = [commit for commit, _ in Repository.open(path).commits()]

    stamps = [commit.stamp - first * 1_000_000 for commit in commits]
    assert stamps == [0, 1, 2, 3, 100_000_000]
    assert commits[-1].authored == 86_400_000_000


def test_a_merge_shows_what_it_brought_to_its_first_parent(tmp_path: Path) -> None:
    path = tmp_path / "r"
    git(tmp_path, "init", "-q", "-b", "main", str(path))
    (path / "a").write_text("a")
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "root")
    git(path, "checkout", "-q", "-b", "side")
    for name in ("b", "c"):
        (path / name).write_text(name)
        git(path, "add", ".")
        git(path, "commit", "-q", "-m", name)
    git(path, "checkout", "-q", "main")
    (path / "d").write_text("d")
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "d")
    git(path, "merge", "-q", "--no-ff", "-m", "merge", "side")

    read = list(Repository.open(path).commits())

    assert [commit.subject for commit, _ in read] == ["root", "d", "merge"]
    assert changed(read[-1][1]) == {b"b": "100644", b"c": "100644"}


def test_a_readers_own_configuration_changes_nothing(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r")
    plain = list(Repository.open(path).commits())
    for name, value in (
        ("log.showRoot", "false"),
        ("log.showSignature", "true"),
        ("log.mailmap", "true"),
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.relative", "true"),
        ("core.quotePath", "true"),
        ("log.decorate", "full"),
        ("log.diffMerges", "combined"),
    ):
        git(path, "config", name, value)

    assert list(Repository.open(path).commits()) == plain
    assert len(plain) == len(story())


def test_a_folder_inside_shows_the_whole_repository(tmp_path: Path) -> None:
    path = tmp_path / "r"
    git(tmp_path, "init", "-q", str(path))
    (path / "inside").mkdir()
    (path / "inside" / "a").write_text("a")
    (path / "b").write_text("b")
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "both")

    repository = Repository.open(path / "inside")
    ((_, changes),) = repository.commits()

    assert repository.path == path
    assert set(changed(changes)) == {b"inside/a", b"b"}


def test_a_variable_that_names_another_repository_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_repository(tmp_path / "r", [Step("one", (Entry("a", b"1"),))])
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))

    assert Repository.open(path).commit_count == 1


def test_what_is_no_repository_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "file").touch()

    for path in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(NotARepositoryError, match="name one that is"):
            Repository.open(path)


def test_a_repository_without_a_commit_is_refused_by_name(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "r")
    git(tmp_path, "init", "-q", "--bare", "bare")

    for name in ("r", "bare"):
        with pytest.raises(EmptyHistoryError, match="commit first"):
            Repository.open(tmp_path / name)


def test_a_shallow_clone_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r")
    git(tmp_path, "clone", "-q", "--depth", "2", path.as_uri(), "shallow")

    with pytest.raises(ShallowHistoryError, match="git fetch --unshallow"):
        Repository.open(tmp_path / "shallow")
