"""A reply agrees when the reactor shows what git says, and says so when it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docreactor.gateway.broker.progress import silent
from docreactor.gateway.demo.questions import Questions, agrees
from docreactor.gateway.demo.sample import Entry, Step, write_repository
from docreactor.gateway.demo.witness import Listed, Witness
from docreactor.gateway.git.contents import Content, contents
from docreactor.gateway.git.files import File
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.importing import import_history
from tests.gateway.git.reactor import running

STEPS = [
    Step("one", (Entry("a", b"1\n"), Entry("b", b"1\n"), Entry("gone", b"1\n"))),
    Step("two", (Entry("a", b"1\n2\n"), Entry("gone", None))),
    Step("three", (Entry("a", b"1\n2\n3\n"),)),
]


@dataclass(frozen=True, slots=True)
class Asked:
    questions: Questions
    files: dict[str, File]
    listing: dict[str, Listed]


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    repository = Repository.open(write_repository(tmp_path / "r", STEPS))
    async with running() as where:
        settings = where.site.settings
        imported = await import_history(repository, where.reactor, settings, progress=silent)
        with contents(repository.path, text_bytes_max=settings.action_bytes_max) as source:
            witness = Witness(repository, source)
            yield Asked(
                Questions(where.reactor, witness, imported.token),
                {lives[0].path: lives[0] for lives in imported.paths},
                {listed.path: listed for listed in witness.listing()},
            )


async def test_a_file_its_history_and_its_past_agree(asked: Asked) -> None:
    file, document = await asked.questions.file(asked.listing["a"])
    history, operations = await asked.questions.history(document)
    earlier = await asked.questions.earlier(document, operations[1])

    assert (file.agrees, history.agrees, earlier.agrees) == (True, True, True)
    assert file.answer.startswith("3 lines, as of ")
    assert history.answer.startswith("3 commits, ")
    assert earlier.question == "get a at=global:1"
    assert earlier.answer.startswith("2 lines, ")


async def test_a_file_of_another_content_or_mode_disagrees(asked: Asked) -> None:
    listed = asked.listing["a"]
    other = Listed("a", listed.mode, asked.listing["b"].blob)
    executable = Listed("a", "100755", listed.blob)

    assert not (await asked.questions.file(other))[0].agrees
    assert not (await asked.questions.file(executable))[0].agrees


async def test_a_removed_file_is_refused_and_its_history_readable(asked: Asked) -> None:
    reply = await asked.questions.removed(asked.files["gone"])
    there = await asked.questions.removed(asked.files["b"])

    assert reply.agrees
    assert reply.answer == "DocumentDeleted; its history of 1 commits is readable"
    assert not there.agrees


async def test_every_file_is_compared(asked: Asked) -> None:
    counts: list[int] = []

    assert await asked.questions.every_file(counts.append) == (2, [])
    assert counts == [2]


def test_text_agrees_by_its_characters_and_the_rest_by_its_hash() -> None:
    content = Content.of(b"\0binary")
    named = {"kind": "binary", "size": 7, "sha256": content.sha256, "content": ""}

    assert agrees({"kind": "text", "content": "a\n"}, Content.of(b"a\n"))
    assert not agrees({"kind": "text", "content": "a"}, Content.of(b"a\n"))
    assert agrees(named, content)
    assert not agrees(named | {"size": 8}, content)
    assert not agrees({"kind": "text", "content": ""}, content)
