"""The command `up`: a broker, the topics and the workers of one deployment, in the foreground."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack, redirect_stdout
from typing import Annotated, TextIO

import structlog
import typer
from rich.console import Console
from rich.panel import Panel

from docreactor.agents.journal import keep_journal, tell_end
from docreactor.gateway.announcement import Announcement
from docreactor.gateway.broker.resolution import use_broker
from docreactor.gateway.cli.broker import progress_shown
from docreactor.gateway.cli.choices import App, CheckPurity, Data, Host, Json, Models, Port, chosen
from docreactor.gateway.deployment import Deployment
from docreactor.gateway.guard import check_exposure
from docreactor.gateway.server import listen
from docreactor.gateway.stopping import run_stoppable, stoppable
from docreactor.pipeline.registry import load
from docreactor.pipeline.settings import Settings

Workers = Annotated[int, typer.Option(min=1, max=64, help="Worker processes to start.")]

_log = structlog.get_logger(__name__)


def up(
    models: Models = None,
    app: App = None,
    data: Data = None,
    host: Host = None,
    port: Port = None,
    workers: Workers = 1,
    check_purity: CheckPurity = None,
    json: Json = False,
) -> None:
    """Start everything that a deployment needs, in the foreground, until Ctrl-C.

    Kafka is the one that DOCREACTOR_BROKER names, or the development broker, which is started
    if it does not run and stopped with the last `up` that uses it. A worker that dies is started
    again. The first worker takes the port, the others free ones.
    """
    out = sys.stdout
    keep_journal()
    # What a model prints while it is loaded belongs to the journal.
    with redirect_stdout(sys.stderr):
        try:
            settings = chosen(app=app, data=data, host=host, port=port, check_purity=check_purity)
            with stoppable():
                _bring_up(settings, tuple(models or ()), workers, out, json=json)
        except Exception as error:
            tell_end(_log, "up ended", error)
            raise typer.Exit(1) from error


def _bring_up(
    settings: Settings, models: tuple[str, ...], worker_count: int, out: TextIO, *, json: bool
) -> None:
    check_exposure(settings)
    load(models)
    # Better told now than by a worker that is started five times.
    listen(settings.host, settings.port, None).socket.close()
    # The broker is the user's, shared by every --app and --data.
    with ExitStack() as shown:
        progress = shown.enter_context(progress_shown())
        with use_broker(Settings(), progress=progress) as broker:
            deployment = Deployment(
                settings=settings,
                models=models,
                worker_count=worker_count,
                bootstrap_servers=broker.bootstrap_servers,
            )

            async def run() -> None:
                async with deployment.running(progress) as announcement:
                    shown.close()
                    _show(announcement, out, json=json)
                    await asyncio.Event().wait()

            run_stoppable(run())


def _show(announcement: Announcement, out: TextIO, *, json: bool) -> None:
    if json:
        typer.echo(announcement.line, file=out)
        return
    lines = [f"[bold]{url}[/]" for url in announcement.urls]
    lines += [f"broker {announcement.broker}", f"data   {announcement.data}"]
    title = f"[green]{announcement.app} is ready[/]"
    Console(file=out).print(Panel.fit("\n".join(lines), title=title))
