"""What commands print: a line of JSON for programs, text and tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson
import typer
from rich.console import Console
from rich.table import Table

from docreactor.gateway.answers import Answer, Job

# Without a terminal nobody sees where a line would be broken, and a token must stay in one piece.
_WIDTH_ELSEWHERE = 240
_CELL_CHARACTERS_MAX = 60


def console() -> Console:
    """Standard output."""
    screen = Console()
    return screen if screen.is_terminal else Console(width=_WIDTH_ELSEWHERE)


def show_json(value: object) -> None:
    """One line of JSON."""
    if isinstance(value, Answer):
        value = value.model_dump(mode="json")
    typer.echo(orjson.dumps(value))


def show_pretty(value: object) -> None:
    """JSON over several lines, in colour on a terminal."""
    console().print_json(orjson.dumps(value).decode())


def show_facts(facts: Mapping[str, object]) -> None:
    """A line each; what is None or empty is left out."""
    screen = console()
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if value not in (None, ""):
            line = f"{name:<{width}}  {value}"
            screen.print(line, soft_wrap=True, markup=False, highlight=False)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under their columns."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console().print(table, markup=False)


def show_next(next_cursor: str | None) -> None:
    """How to go on, where there is more."""
    if next_cursor is not None:
        typer.echo(f"There is more: --cursor {next_cursor}", err=True)


def show_job(job: Job, *, json: bool) -> None:
    """What became of a job."""
    if json:
        show_json(job)
        return
    failure = job.failure
    show_facts(
        {
            "job": job.id,
            "document": job.document_id,
            "branch": job.branch,
            "scope": job.scope,
            "status": job.status.value,
            "token": job.token,
            "error": None if failure is None else f"{failure.name()}: {failure.message}",
        }
    )


def short(value: object) -> str:
    """A value in one cell."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= _CELL_CHARACTERS_MAX else text[: _CELL_CHARACTERS_MAX - 1] + "…"
