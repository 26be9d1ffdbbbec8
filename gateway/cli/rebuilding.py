"""The commands that make again what operations tell: rebuild keyframes, rebuild MODEL."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from docreactor.gateway.cli.import_git import bars_shown
from docreactor.gateway.cli.integrity import FOUND, every_page, show_findings
from docreactor.gateway.cli.replaying import rebuild
from docreactor.gateway.cli.screen import show_facts, show_json
from docreactor.gateway.cli.target import Bearer, Json, Url, asking
from docreactor.gateway.client import DEFAULT_URL


class Rebuilds(TyperGroup):
    """Takes what is no command of its own for the name of a read model."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As `rebuild model NAME` for `rebuild NAME`."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["model", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="rebuild",
    cls=Rebuilds,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Make again what can be made from operations: keyframes, or a read model by its name.",
)
app.command("model")(rebuild)

Documents = Annotated[
    list[str] | None,
    typer.Option("--document", metavar="ID", help="Only of this document; may be repeated."),
]


@app.callback()
def _rebuilds() -> None:
    """Make again what can be made from operations: keyframes, or a read model by its name."""


@app.command()
def keyframes(
    document: Documents = None, url: Url = DEFAULT_URL, token: Bearer = None, json: Json = False
) -> None:
    """Remove keyframes and make them again, by the present policy; documents go on serving.

    Keyframes only make reading faster. Exit code 1 where a history could not be replayed.

    `docreactor rebuild keyframes --document shop-1`
    """
    with asking(url, token) as reactor, bars_shown() as progress:
        pages = [reactor.make_keyframes(document_id) for document_id in document or []]
        if not document:
            ask = reactor.make_keyframes_of_partition
            pages += every_page(reactor, "Making keyframes", ask, progress)
    findings = [finding for page in pages for finding in page.findings]
    figures = {
        "documents": sum(page.documents for page in pages),
        "removed": sum(page.removed for page in pages),
        "stored": sum(page.stored for page in pages),
    }
    if json:
        show_json(figures | {"findings": [one.model_dump(mode="json") for one in findings]})
    else:
        show_facts(figures)
        show_findings(findings)
    if findings:
        raise typer.Exit(FOUND)
