"""Folders agree when the graph shows what git's trees do, and are named when it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docreactor.gateway.broker.progress import silent
from docreactor.gateway.demo.sample import Entry, Step, write_repository
from docreactor.gateway.demo.tree import TreeQuestions
from docreactor.gateway.demo.witness import Witness
from docreactor.gateway.git.contents import contents
from docreactor.gateway.git.files import File
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.importing import Imported, import_history
from tests.gateway.git.reactor import Running, running

STEPS = [
    Step("one", (Entry("a/b/c", b"1\n"), Entry("a/d", b"1\n"), Entry("e", b"1\n"))),
    Step("two", (Entry("a/gone", b"1\n"), Entry("f/g", b"1\n"))),
    Step("three", (Entry("a/gone", None), Entry("f/g", None))),
]


@dataclass(frozen=True, slots=True)
class Asked:
    where: Running
    imported: Imported
    witness: Witness

    @property
    def tree(self) -> TreeQuestions:
        return TreeQuestions(self.where.reactor, self.witness, self.imported.token)

    def file(self, path: str) -> File:
        return next(lives[0] for lives in self.imported.paths if lives[0].path == path)

    def folder_id(self, path: str) -> str:
        return next(lives[0].id for lives in self.imported.tree if lives[0].path == path)


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    repository = Repository.open(write_repository(tmp_path / "r", STEPS))
    async with running() as where:
        settings = where.site.settings
        imported = await import_history(repository, where.reactor, settings, progress=silent)
        with contents(repository.path, text_bytes_max=settings.action_bytes_max) as source:
            yield Asked(where, imported, Witness(repository, source))


async def test_the_folders_of_a_file_and_what_is_in_one_agree(asked: Asked) -> None:
    document = await asked.where.reactor.get("a/b/c", token=asked.imported.token)

    ancestors = await asked.tree.ancestors(document)
    children = await asked.tree.children("a/")
    root = await asked.tree.children("/")

    assert (ancestors.answer, ancestors.agrees) == ("a/b/, a/, /", True)
    assert (children.answer, children.agrees) == ("1 files and 1 folders", True)
    assert (root.answer, root.agrees) == ("1 files and 1 folders", True)


async def test_a_removed_file_is_in_no_folder(asked: Asked) -> None:
    gone = await asked.tree.removed(asked.file("a/gone"))
    there = await asked.tree.removed(asked.file("a/d"))

    assert (gone.answer, gone.agrees) == ("none", True)
    assert (there.answer, there.agrees) == (asked.folder_id("a"), False)


async def test_every_folder_is_compared(asked: Asked) -> None:
    counts: list[int] = []

    assert await asked.tree.every_folder(counts.append) == (3, [])
    assert counts == [1, 2, 3]


async def test_an_edge_that_git_does_not_know_disagrees_wherever_it_shows(asked: Asked) -> None:
    reactor = asked.where.reactor
    extra = await reactor.relate(asked.folder_id(""), asked.file("a/b/c").id, "child", wait="read")
    tree = TreeQuestions(reactor, asked.witness, extra.token)
    document = await reactor.get("a/b/c", token=extra.token)

    assert not (await tree.ancestors(document)).agrees
    assert not (await tree.children("/")).agrees
    assert (await tree.children("a/b/")).agrees
    assert await tree.every_folder(lambda count: None) == (3, ["/"])


async def test_a_folder_that_git_does_not_know_and_one_that_is_missing_are_named(
    asked: Asked,
) -> None:
    reactor = asked.where.reactor
    other = await reactor.create("example/folder", id="other", slug="x/", wait="read")
    place = {"type": "PLACE", "input": {"path": "x"}}
    await reactor.submit("other", place, wait="read")
    gone = await reactor.delete(asked.folder_id("a/b"), wait="read")
    tree = TreeQuestions(reactor, asked.witness, gone.token)

    assert other.error is None
    assert await tree.every_folder(lambda count: None) == (3, ["a/", "a/b/", "x/"])
