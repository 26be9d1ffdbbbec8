"""The commands about documents that read models have set aside."""

from __future__ import annotations

from typing import Annotated

import typer

from docreactor.gateway.cli.screen import show_json, show_table
from docreactor.gateway.cli.target import Bearer, Json, Url, asking
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.generations import Quarantine, SetAside

app = typer.Typer(
    name="quarantine",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Documents that a read model could not apply: list them, try again, take them back.",
)

STILL = 1

Model = Annotated[str, typer.Argument(help="The read model: documents, relationships, or yours.")]
Document = Annotated[str, typer.Argument(help="Id of the document.")]
OfModel = Annotated[str | None, typer.Option("--model", help="Of this read model alone.")]


@app.callback()
def _quarantines() -> None:
    """Documents that a read model could not apply: list them, try again, take them back."""


@app.command("list")
def listed(
    model: OfModel = None, url: Url = DEFAULT_URL, token: Bearer = None, json: Json = False
) -> None:
    """List them, each with its cause. The others of their read model go on meanwhile.

    `docreactor quarantine list --model documents`
    """
    with asking(url, token) as reactor:
        _show(reactor.quarantine(model), json=json)


@app.command()
def retry(
    model: Model,
    document_id: Document,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Derive a document anew from its operations; exit code 1 when it is still set aside.

    `docreactor quarantine retry documents shop-1`
    """
    with asking(url, token) as reactor:
        left = reactor.retry_quarantined(model, document_id)
    _show(left, json=json)
    if left.documents:
        raise typer.Exit(STILL)


@app.command()
def clear(
    model: Model,
    document_id: Document,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Go on with a document as it was left: what was passed over meanwhile stays out.

    `docreactor quarantine clear words shop-1`
    """
    with asking(url, token) as reactor:
        _show(reactor.clear_quarantined(model, document_id), json=json)


def _show(quarantine: Quarantine, *, json: bool) -> None:
    if json:
        show_json(quarantine)
    elif quarantine.documents:
        show_table(("READ MODEL", "DOCUMENT", "CAUSE"), map(_row, quarantine.documents))
    else:
        typer.echo("Nothing is set aside.", err=True)


def _row(one: SetAside) -> tuple[str, str, str]:
    cause = str(one.problem.get("type", "")).rpartition("/")[2]
    return one.model, one.document_id, f"{cause}: {one.problem.get('detail', '')}"
