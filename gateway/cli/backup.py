"""The commands that take a deployment's operations out into a file, and bring them into another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from docreactor.agents.clock import SystemClock
from docreactor.agents.exporter import export as export_operations
from docreactor.agents.importer import import_backup
from docreactor.agents.log import Log
from docreactor.gateway.broker.progress import Step
from docreactor.gateway.cli.choices import App, chosen
from docreactor.gateway.cli.cluster import asked
from docreactor.gateway.cli.import_git import bars_shown, git
from docreactor.gateway.cli.screen import show_facts, show_json
from docreactor.gateway.cli.target import Json
from docreactor.pipeline.settings import Settings

_FILE = "file"
_PERCENT = 100

_Answer = TypeVar("_Answer")
_Tell = Callable[[str, float], None]

Target = Annotated[Path, typer.Argument(help="The file; gzip when its name ends in .gz.")]
Source = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, help="A file that docreactor export wrote."),
]


class Imports(TyperGroup):
    """`import git FOLDER`, or without a name of those below: `import FILE`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is named, or the one that takes a file."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = [_FILE, *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Imports,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Bring in histories from elsewhere.

    `docreactor import git FOLDER` imports a repository into a running deployment.

    `docreactor import FILE --app shop-2` brings what `docreactor export` wrote into a deployment
    that is empty. DOCREACTOR_PARTITIONS may be another number than where it comes from.""",
)
app.command("git")(git)


def export(path: Target, app: App = None, json: Json = False) -> None:
    """Write every stored operation into a file: a backup, and the way to more partitions.

    The deployment may serve meanwhile. What was written when the export began is in the file.
    An erased document is not, but for the fact. Keyframes and tables are made again from
    operations; jobs that still wait are not exported.

    `docreactor export shop.jsonl.gz --app shop`
    """

    def question(tell: _Tell) -> Callable[[Log, Settings], Awaitable[Any]]:
        return partial(export_operations, path=path, clock=SystemClock(), progress=tell)

    written = _with_bars(chosen(app=app), question)
    facts = {
        "file": str(path),
        "operations": written.header.operations,
        "erased": written.header.erased,
        "accepted": written.header.accepted,
        "left_out": written.left_out,
        "partitions": written.header.partitions,
        "size_bytes": path.stat().st_size,
        "log_id": written.header.log_id,
    }
    _show(facts, json=json)


@app.command(_FILE)
def import_(path: Source, app: App = None, json: Json = False) -> None:
    """Bring what `docreactor export` wrote into a deployment that is empty.

    Topics that are missing are created; no worker may run. Every line is checked before the first
    is written. Broken off, run it again with the same file: it goes on where it stood, and no
    worker starts before it is complete.
    """

    def question(tell: _Tell) -> Callable[[Log, Settings], Awaitable[Any]]:
        return partial(import_backup, path=path, progress=tell)

    brought = _with_bars(chosen(app=app), question)
    facts = {
        "file": str(path),
        "operations": brought.header.operations,
        "erased": brought.header.erased,
        "accepted": brought.header.accepted,
        "found": brought.found,
        "partitions": brought.partitions,
        "log_id": brought.log_id,
    }
    _show(facts, json=json)


def _with_bars(
    settings: Settings,
    question: Callable[[_Tell], Callable[[Log, Settings], Awaitable[_Answer]]],
) -> _Answer:
    with bars_shown() as progress:

        def tell(what: str, done: float) -> None:
            progress(Step(what, int(done * _PERCENT), _PERCENT))

        return asked(settings, question(tell))


def _show(facts: Mapping[str, object], *, json: bool) -> None:
    if json:
        show_json(facts)
    else:
        show_facts({name.replace("_", " "): value for name, value in facts.items()})
