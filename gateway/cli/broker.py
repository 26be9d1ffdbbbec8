"""The commands of the development broker."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from docreactor.gateway.broker.development import reset_broker, start_broker, stop_broker
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.broker.status import Status, broker_status
from docreactor.pipeline.settings import Settings

app = typer.Typer(
    name="broker",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""The **development broker**: a real Apache Kafka on this machine.

    `docreactor up` starts one by itself and stops it with the last `up` that uses it.
    `docreactor broker start` starts one that stays.

    With DOCREACTOR_BROKER=host:port every command uses that Kafka and none is started here.""",
)

Data = Annotated[
    Path | None,
    typer.Option(help="Directory of the broker and of the tables. Default: DOCREACTOR_DATA."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Even while other processes use it.")]
Kind = Annotated[
    Profile,
    typer.Option(help="**safe** for work that must stay, **fast** for tests: boots sooner."),
]


@app.command()
def start(profile: Kind = Profile.SAFE, data: Data = None, json: Json = False) -> None:
    """Start Kafka and leave it running, until `broker stop`.

    The first start fetches Apache Kafka (45 MB) and checks every jar against its SHA-256 sum.
    A broker that runs already is left as it is, and stays from now on.
    """
    settings = settings_with(data)
    with progress_shown() as progress:
        start_broker(settings, profile=profile, progress=progress)
    show(broker_status(settings), json=json)


@app.command()
def stop(data: Data = None, force: Force = False, json: Json = False) -> None:
    """Stop Kafka; its data stays, and the next start goes on with it."""
    settings = settings_with(data)
    with progress_shown() as progress:
        stop_broker(settings, force=force, progress=progress)
    show(broker_status(settings), json=json)


@app.command()
def status(data: Data = None, json: Json = False) -> None:
    """Show where Kafka listens, who uses it, and where its data and its log are."""
    show(broker_status(settings_with(data)), json=json)


@app.command()
def reset(data: Data = None, force: Force = False, json: Json = False) -> None:
    """Stop Kafka and delete everything in it: all topics, all offsets."""
    settings = settings_with(data)
    with progress_shown() as progress:
        reset_broker(settings, force=force, progress=progress)
    show(broker_status(settings), json=json)


def settings_with(data: Path | None) -> Settings:
    """The settings of the environment, with the directory that an option names."""
    return Settings() if data is None else Settings(data=data)


@contextmanager
def progress_shown() -> Generator[Progress]:
    """Show steps on standard error while the block runs; standard output is for results."""
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bars:
        task = bars.add_task("", total=None)

        def report(step: Step) -> None:
            bars.update(task, description=step.what, completed=step.done, total=step.total or None)

        yield report


def show(status: Status, *, json: bool) -> None:
    """Print the status: as a table for people, as one line for programs."""
    console = Console()
    facts = asdict(status)
    if json:
        console.print(orjson.dumps(facts).decode(), soft_wrap=True, highlight=False, markup=False)
        return
    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        if value is not None:
            table.add_row(name.replace("_", " "), _readable(value))
    console.print(table)


def _readable(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "none"  # pyright: ignore
    return str(value)
