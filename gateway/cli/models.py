"""The commands about models: what runs, and read models that are to be kept no more."""

from __future__ import annotations

from typing import Annotated

import typer

from docreactor.gateway.cli.screen import show_facts, show_json, show_table
from docreactor.gateway.cli.target import Bearer, Json, Url, asking
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.generations import Generations

app = typer.Typer(
    name="models",
    rich_markup_mode="markdown",
    help="Show which document types the deployment runs; retire read models.",
)

Name = Annotated[str, typer.Argument(help="The read model's name: docreactor status lists them.")]


@app.callback(invoke_without_command=True)
def models(
    ctx: typer.Context, url: Url = DEFAULT_URL, token: Bearer = None, json: Json = False
) -> None:
    """Show which document types the deployment runs, and their actions."""
    if ctx.invoked_subcommand is not None:
        return
    with asking(url, token) as reactor:
        page = reactor.models()
    if json:
        show_json(page)
        return
    show_table(
        ("TYPE", "VERSION", "ACTIONS"),
        [
            (
                model["document_type"],
                model["version"],
                ", ".join(sorted({action["type"] for action in model["actions"]})),
            )
            for model in page.models
        ],
    )


@app.command()
def retire(name: Name, url: Url = DEFAULT_URL, token: Bearer = None, json: Json = False) -> None:
    """Keep a read model no more: its rows are dropped, and READ_READY waits for it no more.

    `docreactor models retire words`
    """
    with asking(url, token) as reactor:
        show_generations(reactor.retire(name), json=json)


@app.command()
def revive(name: Name, url: Url = DEFAULT_URL, token: Bearer = None, json: Json = False) -> None:
    """Keep a retired read model again; READ_READY waits for it once it has caught up.

    `docreactor models revive words`
    """
    with asking(url, token) as reactor:
        show_generations(reactor.revive(name), json=json)


def show_generations(told: Generations, *, json: bool) -> None:
    """What the deployment knows of a read model."""
    if json:
        show_json(told)
        return
    show_facts(
        {
            "read model": told.name,
            "generation": told.generation,
            "kept": ", ".join(sorted(told.versions, key=int)),
            "required": "yes" if told.required else "no",
            "retired": "yes" if told.retired else "no",
        }
    )
