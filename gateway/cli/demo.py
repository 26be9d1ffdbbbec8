"""The command `demo`: this repository's history through a real Kafka, and back."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.table import Table
from rich.text import Text

from docreactor.agents.journal import keep_journal
from docreactor.gateway.broker.progress import Step
from docreactor.gateway.broker.runtime import find_runtime
from docreactor.gateway.cli.import_git import (
    INTERRUPTED,
    add_rate,
    add_rates,
    bars_shown,
    figures,
    rate_table,
)
from docreactor.gateway.cli.screen import console, show_json
from docreactor.gateway.cli.target import Bearer, Json
from docreactor.gateway.client import Reactor
from docreactor.gateway.demo.child import Child, Plan, child, how_to_end
from docreactor.gateway.demo.sample import write_repository
from docreactor.gateway.demo.tour import Report, tour
from docreactor.gateway.git.changes import FILE_TYPE
from docreactor.gateway.git.history import Repository
from docreactor.gateway.stopping import run_stoppable, stoppable
from docreactor.pipeline.errors import (
    EmptyHistoryError,
    NotARepositoryError,
    ReactorError,
    ShallowHistoryError,
)
from docreactor.pipeline.settings import Settings

DISAGREED = 1
_WRONG_SHOWN = 10

Keep = Annotated[bool, typer.Option("--keep", help="Leave it running and say where.")]
Workers = Annotated[int, typer.Option(min=1, help="Worker processes.")]
Path_ = Annotated[
    Path | None,
    typer.Option("--repository", help="A repository; by default the one of this folder."),
]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port of HTTP; 0 takes a free one.")]


@dataclass(frozen=True, slots=True)
class Source:
    """The history that is imported. `reason` says why it is a generated one, if it is."""

    repository: Repository
    reason: ReactorError | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the demo has to tell."""

    source: Source
    plan: Plan
    child: Child
    report: Report


def demo(
    keep: Keep = False,
    workers: Workers = 1,
    repository: Path_ = None,
    port: Port = 0,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Start Kafka and workers, import a git history, ask for it, compare with git.

    The history is that of the repository that this folder belongs to, or else a generated one.
    Everything is in a folder of its own, which goes when the demo ends; with --keep it stays.
    """
    keep_journal()
    settings = Settings()
    shown: list[Shown] = []
    with stoppable(), bars_shown() as progress, _own_folder(keep=keep) as folder:
        source = _source(repository, folder)
        if settings.broker is None:
            # Here and not in the child: the first time fetches 45 MB, which deserves a bar.
            find_runtime(settings.cache, progress=progress)
        plan = Plan(f"demo-{uuid4().hex[:8]}", folder / "data", port, workers)
        progress(Step("Starting Kafka and the workers"))
        with child(plan, keep=keep) as started:

            async def run() -> None:
                async with Reactor(started.announcement.url, token=token) as reactor:
                    report = await tour(source.repository, reactor, settings, progress=progress)
                shown.append(Shown(source, plan, started, report))

            run_stoppable(run())
            if not keep:
                progress(Step("Stopping"))
    if not shown:
        raise typer.Exit(INTERRUPTED)
    _show(shown[0], keep=keep, json=json)
    if not shown[0].report.agrees:
        raise typer.Exit(DISAGREED)


@contextmanager
def _own_folder(*, keep: bool) -> Generator[Path]:
    """A folder that goes with the block; with `keep` only when the block fails."""
    folder = Path(tempfile.mkdtemp(prefix="docreactor-demo-"))
    with ExitStack() as leaving:
        leaving.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder
        if keep:
            leaving.pop_all()


def _source(named: Path | None, folder: Path) -> Source:
    if named is not None:
        return Source(Repository.open(named))
    try:
        return Source(Repository.open(Path()))
    except (NotARepositoryError, EmptyHistoryError, ShallowHistoryError) as reason:
        return Source(Repository.open(write_repository(folder / "history")), reason)


def _show(shown: Shown, *, keep: bool, json: bool) -> None:
    if json:
        show_json(_facts(shown))
        return
    screen = console()
    screen.print(_origin(shown), soft_wrap=True)
    screen.print(_rates(shown.report))
    screen.print(_replies(shown.report))
    screen.print(_verdict(shown.report), soft_wrap=True)
    if keep:
        screen.print(_next_commands(shown), soft_wrap=True, highlight=False, markup=False)
    if (broker := Settings().broker) is not None:
        text = f"The topics {shown.plan.app}.* stay on {broker}."
        screen.print(text, soft_wrap=True, highlight=False, markup=False)


def _facts(shown: Shown) -> dict[str, Any]:
    report = shown.report
    return {
        **asdict(shown.child.announcement),
        "pid": shown.child.pid,
        "repository": str(shown.source.repository.path),
        "generated": None if shown.source.reason is None else shown.source.reason.message,
        "imported": figures(report.imported),
        "replies": [asdict(reply) for reply in report.replies],
        "checked": report.checked,
        "folders_checked": report.folders_checked,
        "check_s": round(report.check_s, 3),
        "wrong": list(report.wrong),
        "agrees": report.agrees,
    }


def _origin(shown: Shown) -> Text:
    repository, reason = shown.source.repository, shown.source.reason
    if reason is not None:
        return Text(f"A generated history of {repository.commit_count} commits: {reason.message}")
    return Text(f"The history of {repository.path}, {repository.commit_count} commits")


def _rates(report: Report) -> Table:
    table = rate_table()
    table.title, table.title_justify = "Rates", "left"
    add_rates(table, report.imported)
    asked_s = sum(reply.ms for reply in report.replies) / 1_000
    add_rate(table, "answers, one by one", len(report.replies), asked_s)
    checked = report.checked + report.folders_checked
    add_rate(table, "files and folders compared", checked, report.check_s)
    return table


def _replies(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, title="Answers", title_justify="left")
    table.add_column("asked, with the token of the last write", overflow="fold")
    table.add_column("answered", overflow="fold")
    table.add_column("ms", justify="right")
    table.add_column("as git says")
    for reply in report.replies:
        mark = Text("yes", "green") if reply.agrees else Text("NO", "bold red")
        table.add_row(Text(reply.question), Text(reply.answer), f"{reply.ms:.1f}", mark)
    return table


def _verdict(report: Report) -> Text:
    checked = f"{report.checked} files and {report.folders_checked} folders"
    if report.agrees:
        return Text(f"All {checked} at the head are as git says.", "green")
    lines = [f"Git says otherwise of {len(report.wrong)} of {checked} at the head:"]
    lines += [f"  {path}" for path in report.wrong[:_WRONG_SHOWN]]
    return Text("\n".join(lines), "bold red")


def _next_commands(shown: Shown) -> str:
    url, paths = shown.child.announcement.url, shown.report.imported.paths
    file = next((files[-1] for files in paths if files[-1].removed is None), paths[0][-1])
    lines = [f"It runs on at {url}, described at {url}/docs. Try:"]
    lines += [
        f"  export DOCREACTOR_URL={url}",
        f"  docreactor find --type {FILE_TYPE} --limit 5",
        f"  docreactor get {shlex.quote(file.path)}",
        f"  docreactor history {file.id}",
        f"  docreactor get {file.id} --at global:0",
        f"  docreactor graph ancestors {file.id}",
        f"  docreactor import git {shlex.quote(str(shown.source.repository.path))}",
        f"End it with: {how_to_end(shown.plan, shown.child.pid)}",
    ]
    return "\n".join(lines)
