"""Commands that other packages bring."""

from __future__ import annotations

import subprocess
import sys

import typer
from typer.testing import CliRunner

from docreactor.gateway.cli import app
from docreactor.gateway.cli.additions import add_installed


def test_the_measurements_are_commands_of_ours() -> None:
    answer = CliRunner().invoke(app, ["bench", "--help"])

    assert answer.exit_code == 0
    assert all(name in answer.output for name in ("write", "latency", "hot", "all"))


def test_an_installed_command_stands_in_the_help_after_the_apps_own() -> None:
    mine = typer.Typer()
    mine.command("first")(lambda: None)
    mine.command("second")(lambda: None)
    add_installed(mine)

    answer = CliRunner().invoke(mine, ["--help"])

    assert answer.output.index("first") < answer.output.index("bench")
    assert CliRunner().invoke(mine, ["first"]).exit_code == 0
    assert CliRunner().invoke(mine, ["third"]).exit_code == 2


def test_a_command_that_nobody_asks_for_is_not_imported() -> None:
    program = "import sys; import docreactor.gateway.cli; print('docreactor.bench' in sys.modules)"

    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert answer.stdout.strip() == "False"
