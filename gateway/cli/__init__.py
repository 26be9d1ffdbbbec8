"""The command line: one module per noun. The catalogue lists the commands."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError
from rich.console import Console

from docreactor.agents.journal import named
from docreactor.gateway.cli.catalogue import Commands
from docreactor.pipeline.errors import InvalidSettingError, ReactorError
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.state import first_complaint

_FAILED = 1

app = typer.Typer(
    name="docreactor",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.callback()
def docreactor() -> None:
    """An event-sourced document reactor on Kafka.

    `docreactor up --models docreactor.examples.todo` starts everything on this machine.

    `docreactor create example/todo --id shop-1` creates a document.

    `docreactor submit shop-1 ADD_ITEM '{"text": "Milk"}'` changes it.

    `docreactor get shop-1` shows it.

    Every command takes --help, and those that answer take --json.
    """


def main() -> None:
    """Run one command. An error of ours is one line and exit code 1; wrong usage exits with 2."""
    try:
        app()
    except Exception as error:
        ours = _named(error)
        if ours is None:
            raise
        screen = Console(stderr=True)
        screen.print(f"[bold red]{ours.name()}[/]", end=": ", highlight=False)
        screen.print(ours.message, soft_wrap=True, markup=False, highlight=False)
        sys.exit(_FAILED)


def _named(error: Exception) -> ReactorError | None:
    """The error of ours in it. A setting that cannot be read is one, wherever it was read."""
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return InvalidSettingError(*first_complaint(error))
    return named(error)
