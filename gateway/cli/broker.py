"""The commands of the development broker."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from docreactor.gateway.broker.development import reset_broker, start_broker, stop_broker
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.broker.status import State, Status, broker_status
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


@app.command(epilog="Then: `docreactor broker status` shows the address to give to other programs.")
def start(profile: Kind = Profile.SAFE, data: Data = None, json: Json = False) -> None:
    """Start Kafka and leave it running, until `broker stop`.

    The first start of a machine fetches Apache Kafka (45 MB), checks every jar against its
    SHA-256 sum and makes a class archive; from then on a start takes about a second.
    A broker that runs already is left as it is, and stays from now on.
    """
    settings = settings_with(data)
    with progress_shown() as progress:
        start_broker(settings, profile=profile, progress=progress)
    show(broker_status(settings), json=json)


@app.command(epilog="A broker in use is not stopped: end its users first, or add `--force`.")
def stop(data: Data = None, force: Force = False, json: Json = False) -> None:
    """Stop Kafka; its data stays, and the next start goes on with it."""
    settings = settings_with(data)
    with progress_shown() as progress:
        stop_broker(settings, force=force, progress=progress)
    show(broker_status(settings), json=json)


@app.command(epilog="`left-over` is a broker whose users were killed: the next one takes it over.")
def status(data: Data = None, json: Json = False) -> None:
    """Show where Kafka listens, who uses it, and where its data and its log are."""
    show(broker_status(settings_with(data)), json=json)


@app.command(epilog="Tables notice that their log is gone, and build themselves anew.")
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
    """Show steps on standard error while the block runs; standard output is for results.

    On a terminal a bar that goes away, elsewhere a line per step.
    """
    console = Console(stderr=True)
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bars:
        task = bars.add_task("", total=None)
        last = ""

        def report(step: Step) -> None:
            nonlocal last
            if not console.is_terminal and step.what != last:
                console.print(step.what, highlight=False)
            last = step.what
            bars.update(task, description=step.what, completed=step.done, total=step.total or None)

        yield report


def show(status: Status, *, json: bool) -> None:
    """Print the status: as a table for people, as one line for programs."""
    console = Console()
    if json:
        line = orjson.dumps(asdict(status)).decode()
        console.print(line, soft_wrap=True, highlight=False, markup=False)
        return
    table = Table(show_header=False, box=None)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows(status):
        table.add_row(name, value)
    console.print(table)


def rows(status: Status) -> Iterator[tuple[str, str]]:
    """What the table says, and at its end what to do next."""
    yield "state", status.state
    if status.bootstrap_servers:
        yield "address", status.bootstrap_servers
    if status.pid:
        stays = (
            "stays until `docreactor broker stop`" if status.kept else "stops with its last user"
        )
        yield "broker", f"Kafka {status.kafka}, Java {status.java}, process {status.pid}; {stays}"
        yield "profile", f"{status.profile}, since {status.started_at}"
        yield "users", ", ".join(f"process {pid}" for pid in status.users) or "none"
    yield "data", f"{status.data} ({decimal(status.data_bytes)})"
    yield "log", status.log
    match status.state:
        case State.STOPPED:
            yield "next", "`docreactor up` starts it when needed, `docreactor broker start` now"
        case State.LEFT_OVER:
            yield "next", "`docreactor up` takes it over, `docreactor broker stop` ends it"
        case State.EXTERNAL:
            yield "next", "DOCREACTOR_BROKER names this Kafka; unset it for a development broker"
        case State.STARTING | State.RUNNING:
            yield "next", f"other programs: DOCREACTOR_BROKER={status.bootstrap_servers}"
