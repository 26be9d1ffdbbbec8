"""The command `bench`: measurements of this machine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from docreactor.agents.journal import keep_journal
from docreactor.bench.cache import Cache, take_cache
from docreactor.bench.measurement import Hot, Latency, Measurement, Read, Write, take
from docreactor.bench.report import Report
from docreactor.bench.reshuffle import Late, take_late
from docreactor.bench.trace import read_trace
from docreactor.gateway.cli.broker import progress_shown

app = typer.Typer(
    name="bench",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""Measure this machine: **write** rates, **latency**, **read** times, one **hot**
    document, the **cache**, late arrivals (**reshuffle**).

    Every measurement works in a temporary directory and removes it; but for the last two it starts
    a Kafka of its own there. With DOCREACTOR_BROKER=host:port it uses that Kafka; what it creates
    there stays.""",
)

Actions = Annotated[int, typer.Option(min=1, help="Actions on the topic, each a job of its own.")]
Documents = Annotated[int, typer.Option(min=1, help="Documents that they are spread over.")]
Partitions = Annotated[int, typer.Option(min=1, help="Partitions of every topic.")]
FaustActions = Annotated[int, typer.Option(min=0, help="Actions for plain Faust; 0 leaves it out.")]
Restart = Annotated[bool, typer.Option("--restart", help="Restart afterwards, warm and cold.")]
Operations = Annotated[int, typer.Option(min=1, help="Operations on the log before a restart.")]
Seconds = Annotated[float, typer.Option(min=1, help="How long the open loop lasts.")]
Rate = Annotated[float, typer.Option(min=1, help="Requests per second of the open loop.")]
PerJob = Annotated[int, typer.Option(min=1, max=5_000, help="Edits in one job.")]
Edits = Annotated[int | None, typer.Option(min=5, help="Only the first edits of the recording.")]
LoadedActions = Annotated[int, typer.Option(min=1, help="Actions of each run.")]
LateBy = Annotated[int, typer.Option(min=1, help="After how many younger ones a late one comes.")]
Edges = Annotated[int, typer.Option(min=100, help="Edges of the graph.")]
Reads = Annotated[int, typer.Option(min=1, help="How often each kind of read is asked.")]
Stream = Annotated[int, typer.Option(min=1, help="Operations before which one action is placed.")]
Directory = Annotated[
    Path | None, typer.Option(help="Where the temporary directory is made: on the disk to measure.")
]
Json = Annotated[bool, typer.Option("--json", help="Print a line of JSON for each measurement.")]

History = Annotated[int, typer.Option(min=1, help="Operations of the long histories.")]
Steps = Annotated[int, typer.Option(min=1, help="Steps of the mixed workload.")]
Passes = Annotated[int, typer.Option(min=1, help="How often writing is timed; the middle counts.")]

_WRITE, _LATENCY, _READ, _HOT = Write(), Latency(), Read(), Hot()
_CACHE, _LATE = Cache(), Late()
_OPERATIONS = 1_000_000


@app.command()
def write(
    actions: Actions = _WRITE.actions,
    documents: Documents = _WRITE.documents,
    partitions: Partitions = _WRITE.partitions,
    faust_actions: FaustActions = _WRITE.faust_actions,
    restart: Restart = False,
    operations: Operations = _OPERATIONS,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Actions per second, exactly once, until written and until shown; plain Faust beside it.

    The topic is filled before the worker starts. With --restart also how soon a worker serves
    again, with its tables and without them.
    """
    wanted = operations if restart else None
    _show(Write(actions, documents, partitions, faust_actions, wanted), directory, json=json)


@app.command()
def latency(
    seconds: Seconds = _LATENCY.seconds,
    rate: Rate = _LATENCY.rate,
    documents: Documents = _LATENCY.documents,
    partitions: Partitions = _LATENCY.partitions,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Milliseconds from submit to written and to shown: one by one, 20/s, and an open loop.

    Through HTTP, and inside one process, where only the reactor is timed. At a rate each request
    is timed from when it was due, so that a stall counts for all that it delays.
    """
    _show(Latency(seconds, rate, documents, partitions), directory, json=json)


@app.command()
def read(
    actions: Actions = _READ.actions,
    operations: Operations = _READ.operations,
    documents: Documents = _READ.documents,
    edges: Edges = _READ.edges,
    reads: Reads = _READ.reads,
    partitions: Partitions = _READ.partitions,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """How soon writes are shown, how soon a worker is back, and what reads take: all right or none.

    Documents, pages of them, children, ancestors and paths in a large graph, through HTTP and
    inside one process; restarts with all operations on the log, with the tables and without.
    """
    _show(Read(actions, operations, documents, edges, reads, partitions), directory, json=json)


@app.command()
def hot(
    per_job: PerJob = _HOT.per_job,
    edits: Edits = None,
    partitions: Partitions = _HOT.partitions,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """One document, edited 259,778 times: rate, memory, and its text at any revision.

    The edits are a real recording; DOCREACTOR_BENCH_DATA names the folder that holds it.
    """
    read_trace()
    _show(Hot(per_job, edits, partitions), directory, json=json)


@app.command()
def cache(
    operations: History = _CACHE.operations,
    documents: Documents = _CACHE.documents,
    steps: Steps = _CACHE.steps,
    passes: Passes = _CACHE.passes,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """The write cache: cold, warm and cached reads, keyframes' cost, hit rate, memory. No Kafka.

    Over RocksDB, with states that grow by 0.1, 0.3 and 1.0 times the operations' bytes.
    """
    _show_cache(Cache(operations, documents, steps, passes), directory, json=json)


@app.command()
def reshuffle(
    actions: LoadedActions = _LATE.actions,
    late_by: LateBy = _LATE.late_by,
    stream: Stream = _LATE.stream,
    json: Json = False,
) -> None:
    """What late arrivals cost: operations stored per action, by size of batch and share of them.

    Also how long it takes to place one action before a whole stream. One partition's reducer with
    its tables in memory, in this process: no Kafka takes part.
    """
    _show_late(Late(actions, late_by, stream), json=json)


@app.command(name="all")
def everything(directory: Directory = None, json: Json = False) -> None:
    """Every measurement as it is by default, restarts included, one after the other."""
    read_trace()
    for measurement in (Write(restart_operations=_OPERATIONS), _LATENCY, _READ, _HOT):
        _show(measurement, directory, json=json)
    _show_cache(_CACHE, directory, json=json)
    _show_late(_LATE, json=json)


def _show(measurement: Measurement, directory: Path | None, *, json: bool) -> None:
    keep_journal()
    # What clients try again is no news here, and would tear the progress.
    logging.getLogger().setLevel(logging.ERROR)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    with progress_shown() as progress:
        report = take(measurement, directory=directory, progress=progress)
    _tell(report, json=json)


def _show_cache(measurement: Cache, directory: Path | None, *, json: bool) -> None:
    with progress_shown() as progress:
        report = take_cache(measurement, directory=directory, progress=progress)
    _tell(report, json=json)


def _show_late(measurement: Late, *, json: bool) -> None:
    with progress_shown() as progress:
        report = take_late(measurement, progress=progress)
    _tell(report, json=json)


def _tell(report: Report, *, json: bool) -> None:
    console = Console()
    if json:
        line = orjson.dumps(report.facts()).decode()
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    else:
        console.print(report.table())
