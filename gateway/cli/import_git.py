"""The command `import git`: a repository's history into a running deployment."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from docreactor.agents.journal import keep_journal
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.cli.screen import console, show_json
from docreactor.gateway.cli.target import Bearer, Json, Url
from docreactor.gateway.client import DEFAULT_URL, Reactor
from docreactor.gateway.git.changes import FILE_TYPE
from docreactor.gateway.git.edges import FOLDER_TYPE
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.importing import Imported, import_history
from docreactor.gateway.stopping import run_stoppable, stoppable
from docreactor.pipeline.errors import UnknownModelError
from docreactor.pipeline.settings import Settings

INTERRUPTED = 130
_FIRST_ANSWER_S = 3.0

Folder = Annotated[Path, typer.Argument(help="A folder of the repository.")]


def git(
    path: Folder = Path(), url: Url = DEFAULT_URL, token: Bearer = None, json: Json = False
) -> None:
    """Import a repository: files and folders are documents, what commits did to them actions.

    The deployment must run the models of `docreactor.examples.files`. A second import stores only
    what is new.
    """
    keep_journal()
    settings = Settings()
    imported: list[Imported] = []

    async def run() -> None:
        await _check(url, token)
        async with Reactor(url, token=token) as reactor:
            with bars_shown() as progress:
                imported.append(
                    await import_history(repository, reactor, settings, progress=progress)
                )

    with stoppable():
        repository = Repository.open(path)
        run_stoppable(run())
    if not imported:
        raise typer.Exit(INTERRUPTED)
    show(imported[0], json=json)


async def _check(url: str, token: str | None) -> None:
    """A deployment that is not there, or cannot run the model, is told before anything is read."""
    async with Reactor(url, token=token, retry_for_s=_FIRST_ANSWER_S) as reactor:
        models = (await reactor.models()).models
    known = {model["document_type"] for model in models}
    for wanted in (FILE_TYPE, FOLDER_TYPE):
        if wanted not in known:
            raise UnknownModelError(wanted)


def figures(imported: Imported) -> dict[str, Any]:
    """What an import did, as JSON."""
    return {
        "head": imported.head,
        "commits": imported.commits,
        "files": imported.files,
        "folders": imported.folders,
        "actions": imported.actions,
        "jobs": imported.jobs,
        "skipped": imported.skipped,
        "seconds": round(imported.read_s + imported.import_s, 3),
        "commits_per_s": round(imported.commits_per_s, 1),
        "actions_per_s": round(imported.actions_per_s, 1),
        "token": imported.token,
    }


def rate_table() -> Table:
    """The table that `rate_rows` fills."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("count", "seconds", "per second"):
        table.add_column(name, justify="right")
    return table


def add_rate(table: Table, what: str, count: int, seconds: float) -> None:
    """One row: how many, in what time, and so how many in a second."""
    rate = count / seconds if seconds else 0.0
    table.add_row(what, f"{count:,}", f"{seconds:.2f}", f"{rate:,.0f}")


def add_rates(table: Table, imported: Imported) -> None:
    """The rows of an import."""
    add_rate(table, "commits read", imported.commits, imported.read_s)
    add_rate(table, "actions imported", imported.actions, imported.import_s)
    add_rate(table, "in jobs", imported.jobs, imported.import_s)
    add_rate(table, "of files", imported.files, imported.import_s)
    add_rate(table, "of folders", imported.folders, imported.import_s)


def show(imported: Imported, *, json: bool) -> None:
    """Print the result: as a table for people, as one line for programs."""
    if json:
        show_json(figures(imported))
        return
    table = rate_table()
    add_rates(table, imported)
    screen = console()
    screen.print(table)
    screen.print(f"token {imported.token}", soft_wrap=True, highlight=False, markup=False)


@contextmanager
def bars_shown() -> Generator[Progress]:
    """Show steps on standard error while the block runs: rates, and how long it will take."""
    screen = Console(stderr=True)
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        # Elsewhere nothing would be left of them but an empty line.
        disable=not screen.is_terminal,
    )
    with bars:
        task, described = bars.add_task("", total=None), ""

        def report(step: Step) -> None:
            nonlocal task, described
            if step.what != described:
                bars.remove_task(task)
                task = bars.add_task(step.what, total=step.total or None)
                described = step.what
            # Of some steps it shows only later how much they are.
            bars.update(task, completed=step.done, total=step.total or None)

        yield report


class RateColumn(ProgressColumn):
    """How many in a second, of late."""

    def render(self, task: Task) -> Text:
        """The rate, or nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")
