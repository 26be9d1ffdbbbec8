"""Whether the commands that docs/histories.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docreactor.gateway.cli import app

PAGE = Path(__file__).parent.parent.parent / "docs" / "histories.md"
COMMAND = re.compile(r"^docreactor ((?:[a-z-]+ ?)+)", re.MULTILINE)
INLINE = re.compile(r"`docreactor ((?:[a-z-]+ ?)+)")
GROUPS = {"jobs", "rebuild"}


def _commands() -> list[str]:
    text = PAGE.read_text()
    found: set[str] = set()
    for words in [*COMMAND.findall(text), *INLINE.findall(text)]:
        first, *rest = words.split()
        found.add(f"{first} {rest[0]}" if first in GROUPS else first)
    return sorted(found)


@pytest.mark.parametrize("command", _commands())
def test_every_command_that_is_named_is_there(command: str) -> None:
    answered = CliRunner().invoke(app, [*command.split(), "--help"])
    assert answered.exit_code == 0
    assert command.split()[-1] in answered.output
