"""The commands of the group's offsets: how far `actions` has been reduced."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from docreactor.agents.offsets import set_offset, show_offsets
from docreactor.gateway.cli.choices import App, chosen
from docreactor.gateway.cli.cluster import asked
from docreactor.gateway.cli.screen import show_facts, show_json, show_table
from docreactor.gateway.cli.target import Json

app = typer.Typer(
    name="offsets",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""How far the jobs on **actions** have been reduced.

    A worker refuses to guess: where it finds no offset although operations exist, it says
    OffsetsLost, and `docreactor offsets set` decides.""",
)

Partition = Annotated[int, typer.Option("--partition", help="Partition of actions.")]
To = Annotated[int, typer.Option("--to", metavar="OFFSET", help="Where to go on.")]


@app.command()
def show(app: App = None, json: Json = False) -> None:
    """Show each partition's committed offset, and the log's start and end."""
    rows = asked(chosen(app=app), show_offsets)
    if json:
        show_json([asdict(row) | {"lag": row.lag} for row in rows])
        return
    show_table(
        ("PARTITION", "COMMITTED", "START", "END", "LAG"),
        [(row.partition, row.committed, row.start, row.end, row.lag) for row in rows],
    )


@app.command(name="set")
def set_(partition: Partition, to: To, app: App = None, json: Json = False) -> None:
    """Let the workers go on from an offset. Stop them first.

    `docreactor offsets set --partition 3 --to 1200`
    """
    asked(chosen(app=app), partial(set_offset, partition=partition, to=to))
    facts = {"partition": partition, "committed": to}
    if json:
        show_json(facts)
        return
    show_facts(facts)
