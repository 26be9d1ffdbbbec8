"""The tour shows a history, and finds whatever is not as git says."""

from __future__ import annotations

from pathlib import Path

from docreactor.gateway.broker.progress import silent
from docreactor.gateway.demo.sample import Entry, Step, story, write_repository
from docreactor.gateway.demo.tour import Report, tour
from docreactor.gateway.git.history import Repository
from tests.gateway.git.reactor import Running, running


async def toured(path: Path, where: Running) -> Report:
    repository = Repository.open(path)
    return await tour(repository, where.reactor, where.site.settings, progress=silent)


async def test_all_that_git_says_is_found(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r")

    async with running() as where:
        report = await toured(path, where)

    assert report.agrees
    assert (report.checked, report.folders_checked) == (17, 5)
    questions = [reply.question for reply in report.replies]
    assert "get chapters/00.md" in questions
    assert "get chapters/00.md at=global:4" in questions
    assert "get chapters/03.md" in questions, "it was gone and is back"
    assert "get chapters/04.md, removed" in questions
    answers = {reply.question: reply.answer for reply in report.replies}
    assert answers["ancestors of chapters/00.md"] == "chapters/, /"
    assert answers["children of chapters/"] == "12 files and 0 folders"
    assert answers["children of /"] == "2 files and 4 folders"
    assert answers["parents of chapters/04.md, removed"] == "none"


async def test_a_file_that_is_other_than_git_says_is_named(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r")

    async with running() as where:
        first = await toured(path, where)
        document = await where.reactor.get("README.md", token=first.imported.token)
        change = document.state["global"]["author"]
        await where.reactor.submit(
            document.header.id,
            {
                "type": "EDIT",
                "input": {
                    "commit": first.imported.head,
                    "author_name": change["name"],
                    "author_email": change["email"],
                    "author_time": change["time"],
                    "message": "",
                    "patches": [[0, 1, ""]],
                },
            },
            wait="read",
        )
        report = await toured(path, where)

    assert not report.agrees
    assert report.wrong == ["README.md"]


async def test_a_file_that_should_not_be_there_is_named(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r", [Step("one", (Entry("a", b"1\n"),))])
    other = write_repository(tmp_path / "other", [Step("one", (Entry("extra", b"1\n"),))])

    async with running() as where:
        await toured(other, where)
        report = await toured(path, where)

    assert (report.agrees, report.wrong, report.checked) == (False, ["extra", "/"], 2)


async def test_what_is_too_large_for_an_action_agrees_by_its_hash(tmp_path: Path) -> None:
    steps = [*story(), Step("large", (Entry("large.txt", b"x" * 3_000),))]
    path = write_repository(tmp_path / "r", steps)

    async with running(action_bytes_max=2_500) as where:
        report = await toured(path, where)

    assert report.agrees
    assert report.checked == 18
