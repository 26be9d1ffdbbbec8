"""Which commands there are."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from docreactor.gateway.cli import app
from docreactor.gateway.cli.catalogue import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    answer = CliRunner().invoke(app, [name, "--help"], catch_exceptions=False)

    assert answer.exit_code == 0
    assert f"{name} [OPTIONS]" in answer.output


def test_the_help_lists_every_command_under_its_panel() -> None:
    answer = CliRunner().invoke(app, ["--help"], catch_exceptions=False)

    assert answer.exit_code == 0
    for name, place in COMMANDS.items():
        assert f" {name} " in answer.output
        assert place.panel in answer.output


def test_a_question_imports_neither_broker_nor_worker() -> None:
    program = (
        "import sys; import docreactor.gateway.cli as cli; import docreactor.gateway.cli.reading;"
        "print([name for name in ('jgo', 'faust', 'aiokafka', 'fastapi') if name in sys.modules])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    assert answer.stdout.strip() == "[]"


def test_a_command_that_is_none_is_wrong_usage() -> None:
    assert CliRunner().invoke(app, ["sing"]).exit_code == 2
