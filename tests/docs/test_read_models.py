"""Whether what docs/read-models.md shows is so."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docreactor.agents.pace import CHANGES_MAX
from docreactor.gateway.cli import app
from docreactor.pipeline.read_model import Change, Writer
from docreactor.pipeline.settings import Settings
from tests.docs.test_write_cache import INI

TEXT = (Path(__file__).parent.parent.parent / "docs" / "read-models.md").read_text()
COMMANDS = [
    "rows lengths",
    "read-models",
    "models retire",
    "rebuild lengths",
    "quarantine list",
    "quarantine retry",
    "quarantine clear",
]


def test_its_examples_run_as_they_are(tmp_path: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "test_examples.py").write_text("\n\n".join(examples))
    (tmp_path / "pytest.ini").write_text(INI)
    arguments = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    run = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout
    assert f"{len(re.findall('def test_', TEXT))} passed" in run.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_named_is_there(command: str) -> None:
    assert f"docreactor {command}" in TEXT
    words = [word for word in command.split() if word != "lengths"]
    answered = CliRunner().invoke(app, [*words, "--help"])
    assert answered.exit_code == 0


def test_it_names_every_field_of_a_change() -> None:
    rows = TEXT[TEXT.index("| of a change | is |") : TEXT.index("`document_types`, `scopes` and")]
    named = {
        name
        for cell in re.findall(r"^\| (`.*?`) \|", rows, re.MULTILINE)
        for name in re.findall(r"`(?:await )?(\w+)", cell)
    }
    fields = {one.name for one in dataclasses.fields(Change)} - {"ask"}
    assert named == fields | {"erased", "state"}


def test_it_names_every_call_of_a_writer() -> None:
    rows = TEXT[TEXT.index("| call | does |") : TEXT.index("A key is a text of 1 to 1,000 bytes")]
    cells = re.findall(r"^\| (`.*?`) \|", rows, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)", cell)}
    assert named == {name for name in vars(Writer) if not name.startswith("_")}


def test_it_names_bounds_and_settings_as_they_are() -> None:
    assert f"in the order of the log, {CHANGES_MAX} at most" in TEXT
    assert re.findall(r"`([A-Z_]+_MS)`", TEXT) == ["REDUCER_TIMEOUT_MS"]
    assert Settings().reducer_timeout_ms > 0
