"""A file's jobs come in order and stay within the limits."""

from __future__ import annotations

from pathlib import Path

from docreactor.gateway.demo.sample import Entry, Step, write_repository
from docreactor.gateway.git.contents import contents
from docreactor.gateway.git.files import read_files
from docreactor.gateway.git.folders import read_folders
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.jobs import (
    Creation,
    Job,
    Submission,
    action_count,
    jobs_of,
    jobs_of_folders,
)
from docreactor.pipeline.settings import Settings


def jobs_in(path: Path, settings: Settings) -> list[Job]:
    (files,) = read_files(Repository.open(path), lambda count: None)
    with contents(path, text_bytes_max=settings.action_bytes_max) as source:
        return list(jobs_of(files, source, settings))


def written(tmp_path: Path, *versions: bytes | None) -> Path:
    steps = [Step(f"{n}", (Entry("a", version),)) for n, version in enumerate(versions)]
    return write_repository(tmp_path / "r", steps)


def kinds(jobs: list[Job]) -> list[list[str]]:
    return [
        ["create"] if isinstance(job, Creation) else [action.type for action in job.actions]
        for job in jobs
    ]


def test_each_file_is_created_filled_and_deleted_before_the_next(tmp_path: Path) -> None:
    path = written(tmp_path, b"1", b"2", None, b"3")

    assert kinds(jobs_in(path, Settings())) == [
        ["create"],
        ["REPLACE", "REPLACE"],
        ["DELETE_DOCUMENT"],
        ["create"],
        ["REPLACE"],
    ]


def test_jobs_hold_as_many_actions_as_they_may(tmp_path: Path) -> None:
    path = written(tmp_path, *(b"%d" % number for number in range(7)))

    jobs = jobs_in(path, Settings(job_actions_max=3))

    assert [job.action_count for job in jobs] == [2, 3, 3, 1]
    (files,) = read_files(Repository.open(path), lambda count: None)
    assert sum(job.action_count for job in jobs) == action_count(files[0])


def test_jobs_stay_within_half_their_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, *(bytes([letter]) * 4_000 for letter in b"abcdef"))

    jobs = jobs_in(path, Settings(job_bytes_max=20_000))

    assert [job.action_count for job in jobs] == [2, 2, 2, 2]
    for job in jobs:
        if isinstance(job, Submission):
            assert sum(action.size for action in job.actions) < 10_000


def test_a_folder_is_created_placed_and_given_its_edges_in_few_jobs(tmp_path: Path) -> None:
    many = tuple(Entry(f"a/{number}", b"1") for number in range(5))
    gone = tuple(Entry(one.path, None) for one in many)
    path = write_repository(tmp_path / "r", [Step("one", many), Step("two", gone)])
    files = read_files(Repository.open(path), lambda count: None)
    root, (folder,) = read_folders(files)

    jobs = list(jobs_of_folders([folder], Settings(job_actions_max=8)))

    assert kinds(jobs) == [
        ["create"],
        ["PLACE"],
        ["ADD_RELATIONSHIP"] * 5 + ["REMOVE_RELATIONSHIP"] * 3,
        ["REMOVE_RELATIONSHIP"] * 2 + ["DELETE_DOCUMENT"],
    ]
    assert sum(job.action_count for job in jobs) == action_count(folder)
    (created, *_) = jobs_of_folders(root, Settings())
    assert isinstance(created, Creation)
    assert (created.document_type, created.slug, created.name) == ("example/folder", "/", "/")
