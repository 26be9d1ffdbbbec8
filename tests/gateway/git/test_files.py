"""Each life of a path is a file of its own, with ids that every reading derives again."""

from __future__ import annotations

from pathlib import Path

from docreactor.gateway.demo.sample import Entry, Step, story, write_repository
from docreactor.gateway.git.files import File, derived_id, read_files
from docreactor.gateway.git.history import Repository
from docreactor.pipeline.ids import check_id


def files_of(path: Path) -> dict[str, tuple[File, ...]]:
    lives = read_files(Repository.open(path), lambda count: None)
    return {files[0].path: files for files in lives}


def test_a_path_that_returns_is_another_file(tmp_path: Path) -> None:
    steps = [
        Step("one", (Entry("a", b"1"), Entry("b", b"1"))),
        Step("two", (Entry("a", b"2"),)),
        Step("three", (Entry("a", None),)),
        Step("four", (Entry("a", b"4", "100755"),)),
    ]

    files = files_of(write_repository(tmp_path / "r", steps))

    first, second = files["a"]
    assert [change.commit.subject for change in first.changes] == ["one", "two", "three"]
    assert [change.commit.subject for change in first.versions] == ["one", "two"]
    assert first.removed is not None and first.removed.subject == "three"
    assert [change.commit.subject for change in second.versions] == ["four"]
    assert second.removed is None
    assert len({first.id, second.id, files["b"][0].id}) == 3


def test_a_file_that_becomes_a_link_stays_the_same_file(tmp_path: Path) -> None:
    steps = [Step("one", (Entry("a", b"1"),)), Step("two", (Entry("a", b"b", "120000"),))]

    ((file,),) = files_of(write_repository(tmp_path / "r", steps)).values()

    assert [change.mode for change in file.versions] == ["100644", "120000"]


def test_ids_are_the_same_at_every_reading_and_fit_everywhere(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r")

    first, second = files_of(path), files_of(path)

    assert first == second
    files = [file for lives in first.values() for file in lives]
    ids = [file.id for file in files]
    ids += [
        derived_id(change.commit, change.path, "content")
        for file in files
        for change in file.changes
    ]
    assert len(set(ids)) == len(ids)
    assert all(check_id(id, field="id") for id in ids)


def test_later_commits_leave_the_ids_of_earlier_ones(tmp_path: Path) -> None:
    steps = story()
    whole = files_of(write_repository(tmp_path / "whole", steps))
    part = files_of(write_repository(tmp_path / "part", steps[:40]))

    assert all(whole[path][0].id == files[0].id for path, files in part.items())


def test_progress_counts_the_commits(tmp_path: Path) -> None:
    counts: list[int] = []

    read_files(Repository.open(write_repository(tmp_path / "r")), counts.append)

    assert counts == list(range(1, len(story()) + 1))


def test_a_path_that_is_not_utf_8_shows_as_escapes(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r", [Step("one", (Entry("caf\udce9", b""),))])

    (files,) = read_files(Repository.open(path), lambda count: None)

    assert files[0].changes[0].path == b"caf\xe9"
    assert files[0].path == "caf\\xe9"
