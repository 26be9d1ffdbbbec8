"""The command `worker`: one worker in the foreground."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from enum import StrEnum
from typing import Annotated

import structlog
import typer
from rich.console import Console

from docreactor.agents.journal import keep_journal, tell_end
from docreactor.gateway.announcement import Announcement
from docreactor.gateway.broker.development import home_of
from docreactor.gateway.broker.server import recorded_server
from docreactor.gateway.cli.choices import App, CheckPurity, Data, Host, Json, Models, Port, chosen
from docreactor.gateway.stopping import stoppable
from docreactor.gateway.worker import run_worker
from docreactor.pipeline.errors import BrokerUnreachableError
from docreactor.pipeline.settings import Settings


class Role(StrEnum):
    """What a worker may be confined to."""

    GATEWAY = "gateway"


Only = Annotated[Role | None, typer.Option(help="Run this part of a worker and nothing else.")]
Supervised = Annotated[bool, typer.Option("--supervised", hidden=True)]

_log = structlog.get_logger(__name__)


def worker(
    models: Models = None,
    app: App = None,
    data: Data = None,
    host: Host = None,
    port: Port = None,
    check_purity: CheckPurity = None,
    only: Only = None,
    json: Json = False,
    supervised: Supervised = False,
) -> None:
    """Run one worker in the foreground, until Ctrl-C.

    It needs a Kafka (DOCREACTOR_BROKER) whose topics exist (`docreactor topics create`);
    `docreactor up` sees to both. Its journal goes to standard error. With `--only gateway` it
    takes no partition: it answers HTTP by asking the workers, and follows the graph itself.
    """
    out = sys.stdout
    keep_journal()

    def announce(announcement: Announcement) -> None:
        if json:
            typer.echo(announcement.line, file=out)
        else:
            Console(file=out).print(f"[green]Ready[/] at [bold]{announcement.url}[/]")

    def listens(url: str) -> None:
        if supervised:
            typer.echo(url, file=out)

    # What a model prints belongs to the journal: standard output is for the one line.
    with redirect_stdout(sys.stderr):
        try:
            settings = chosen(app=app, data=data, host=host, port=port, check_purity=check_purity)
            with stoppable():
                run_worker(
                    settings,
                    models or [],
                    bootstrap_servers=_broker(settings),
                    supervised=supervised,
                    is_gateway_only=only is Role.GATEWAY,
                    announce=announce,
                    listens=listens,
                )
        except Exception as error:
            tell_end(_log, "the worker ended", error)
            raise typer.Exit(1) from error


def _broker(settings: Settings) -> str:
    """The Kafka named, or the development broker if it runs: a worker starts none."""
    if settings.broker is not None:
        return settings.broker
    server = recorded_server(home_of(Settings()))
    if server is None:
        raise BrokerUnreachableError("the development broker (it does not run)", waited_s=0)
    return server.address
