"""An import stores a history once, whole, and says which token shows it."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path

import pytest

from docreactor.gateway.broker.progress import Step as Told
from docreactor.gateway.broker.progress import silent
from docreactor.gateway.demo.sample import Entry, Step, story, write_repository
from docreactor.gateway.git.files import read_files
from docreactor.gateway.git.folders import read_folders
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.importing import Imported, import_history
from docreactor.gateway.git.jobs import action_count
from docreactor.pipeline.errors import (
    DocumentDeletedError,
    GitFailedError,
    InvalidOperationTimestampError,
    UnknownModelError,
)
from docreactor.pipeline.settings import Settings
from tests.gateway.deployment import one_node
from tests.gateway.git.reactor import Running, running


async def imported(path: Path, where: Running) -> Imported:
    return await import_history(
        Repository.open(path), where.reactor, where.site.settings, progress=silent
    )


async def test_every_action_of_the_history_is_stored_once(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r")
    paths = read_files(Repository.open(path), lambda count: None)
    tree = read_folders(paths)
    actions = sum(action_count(file) for lives in paths for file in lives)
    actions += sum(action_count(folder) for lives in tree for folder in lives)

    async with running() as where:
        first = await imported(path, where)
        assert (first.actions, where.stored) == (actions, actions)
        again = await imported(path, where)

        assert where.stored == actions
        assert again.token == first.token
    assert (first.commits, first.files) == (len(story()), sum(map(len, paths)))
    assert first.folders == sum(map(len, tree))


async def test_an_import_after_new_commits_stores_only_those(tmp_path: Path) -> None:
    steps = story()
    part = write_repository(tmp_path / "part", steps[:60])
    whole = write_repository(tmp_path / "whole", steps)

    async with running() as where:
        await imported(part, where)
        before = where.stored
        after = await imported(whole, where)

        assert before < where.stored == after.actions
        readme = await where.reactor.get("README.md", token=after.token)
        assert readme.state["global"]["content"].endswith("Of \N{OWL}s.\n")


async def test_a_path_that_returns_takes_its_slug_over(tmp_path: Path) -> None:
    steps = [
        Step("one", (Entry("a", b"first life\n"),)),
        Step("two", (Entry("a", None),)),
        Step("three", (Entry("a", b"second life\n"),)),
    ]
    path = write_repository(tmp_path / "r", steps)
    ((gone, back),) = read_files(Repository.open(path), lambda count: None)

    async with running() as where:
        token = (await imported(path, where)).token
        shown = await where.reactor.get("a", token=token)
        assert (shown.header.id, shown.state["global"]["content"]) == (back.id, "second life\n")
        with pytest.raises(DocumentDeletedError):
            await where.reactor.get(gone.id, token=token)
        history = await where.reactor.history(gone.id, token=token)
        assert [one.action.input["content"] for one in history.operations] == ["first life\n"]


async def test_a_folder_is_found_by_its_path_and_gone_when_it_is_empty(tmp_path: Path) -> None:
    steps = [
        Step("one", (Entry("a/b/c", b"1\n"), Entry("d/e", b"1\n"))),
        Step("two", (Entry("a/b/c", None),)),
    ]
    path = write_repository(tmp_path / "r", steps)

    async with running() as where:
        token = (await imported(path, where)).token
        page = await where.reactor.find(type="example/folder", token=token)
        shown = await where.reactor.get("d/", token=token)

    assert {one.header.slug: one.header.name for one in page.documents} == {"/": "/", "d/": "d"}
    assert shown.state["global"] == {"path": "d"}
    assert shown.header.created_at == "2023-11-14T22:13:19.999999Z"


async def test_documents_carry_the_times_of_their_commits(tmp_path: Path) -> None:
    steps = [Step("one", (Entry("a/b", b"1\n"),)), Step("two", (Entry("a/b", b"2\n"),))]
    path = write_repository(tmp_path / "r", steps)

    async with running() as where:
        token = (await imported(path, where)).token
        (document,) = (await where.reactor.find(slugs=["a/b"], token=token)).documents

    header = document.header
    assert header.name == "b"
    assert header.created_at == "2023-11-14T22:13:19.999999Z"
    assert header.last_modified_at == "2023-11-14T23:13:20.000000Z"
    assert header.revision == {"document": 2, "global": 2}


async def test_commits_made_in_one_second_keep_their_order(tmp_path: Path) -> None:
    versions = [b"0\n", b"1\n", b"2\n", None, b"4\n", None]
    steps = [Step("x", (Entry("a", version),), 1_700_000_000) for version in versions]

    async with running() as where:
        result = await imported(write_repository(tmp_path / "r", steps), where)

        of_files, of_the_folder = 2 + 4 + 2 + 2, 3 + 4
        assert where.stored == result.actions == of_files + of_the_folder


async def test_a_path_longer_than_a_slug_is_found_by_its_id(tmp_path: Path) -> None:
    long = "/".join(["x" * 100] * 11)
    path = write_repository(tmp_path / "r", [Step("one", (Entry(long, b"1\n"),))])
    paths = read_files(Repository.open(path), lambda count: None)
    ((file,),), (folder,) = paths, read_folders(paths)[-1]

    async with running() as where:
        token = (await imported(path, where)).token
        for one in (file, folder):
            shown = await where.reactor.get(one.id, token=token)
            assert shown.header.slug == one.id
            assert shown.state["global"]["path"] == one.path
    assert file.path == long


async def test_progress_tells_of_commits_and_then_of_actions(tmp_path: Path) -> None:
    told: list[Told] = []
    path = write_repository(tmp_path / "r")

    async with running() as where:
        result = await import_history(
            Repository.open(path), where.reactor, Settings(), progress=told.append
        )

    assert told[0] == Told("Reading the history", 1, result.commits)
    assert told[-1] == Told("Importing", result.actions, result.actions)
    assert result.actions_per_s > 0 < result.commits_per_s


async def test_commits_that_change_nothing_are_skipped(tmp_path: Path) -> None:
    steps = [Step("one", (Entry("a", b"1\n"),)), Step("two", ()), Step("three", ())]

    async with running() as where:
        result = await imported(write_repository(tmp_path / "r", steps), where)

    assert (result.commits, result.skipped) == (3, 2)


async def test_a_deployment_without_the_model_is_told_so(tmp_path: Path) -> None:
    repository = Repository.open(write_repository(tmp_path / "r"))

    async with one_node() as node:
        with pytest.raises(UnknownModelError, match="example/folder"):
            await import_history(repository, node.reactor, Settings(), progress=silent)


async def test_a_commit_from_the_future_ends_the_import_by_name(tmp_path: Path) -> None:
    steps = [Step("one", (Entry("a", b"1\n"),)), Step("two", (Entry("b", b"2\n"),), 9_999_999_999)]

    async with running() as where:
        with pytest.raises(InvalidOperationTimestampError, match="ahead"):
            await imported(write_repository(tmp_path / "r", steps), where)


async def test_a_blob_that_is_gone_ends_the_import_by_name(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r", [Step("one", (Entry("a", b"1\n"),))])
    blob = sha1(b"blob 2\x001\n", usedforsecurity=False).hexdigest()
    (path / "objects" / blob[:2] / blob[2:]).unlink()

    async with running() as where:
        with pytest.raises(GitFailedError, match=f"no blob {blob}: run git fsck"):
            await imported(path, where)
