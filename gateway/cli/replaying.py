"""The commands that build read models anew while they serve: rebuild MODEL, replay."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from docreactor.agents.model_row import BUILT_IN, RELATIONSHIPS
from docreactor.gateway.answers import PartitionPosition
from docreactor.gateway.blocking import SyncReactor
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.cli.import_git import bars_shown
from docreactor.gateway.cli.integrity import every_page
from docreactor.gateway.cli.models import show_generations
from docreactor.gateway.cli.screen import show_facts, show_json
from docreactor.gateway.cli.target import Bearer, Json, Url, asking
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.generations import BEGINNING, Generations, Replayed

SUPERSEDED = 1
"""How a command ends whose generation another call has put away."""

_LOOK_S = 0.2
_HEARD_WITHIN_S = 5.0

Model = Annotated[str, typer.Argument(help="The read model: documents, relationships, or yours.")]
Back = Annotated[
    bool, typer.Option("--roll-back", help="Have the generation before serve again instead.")
]
Finish = Annotated[
    bool, typer.Option("--finish", help="Drop every generation but the serving one instead.")
]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Until the new generation serves everywhere.")
]
Begin = Annotated[
    str, typer.Option("--from", help="beginning, a time such as 2026-01-31T08:00:00Z, or a token.")
]


def rebuild(
    model: Model,
    roll_back: Back = False,
    finish: Finish = False,
    wait: Wait = True,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Build a read model anew from the log, beside the generation that serves.

    Each partition swaps to the new one when it is as far. The one before is kept, and kept up to
    date, so that `--roll-back` puts it back at once, until `--finish`.

    `docreactor rebuild documents`
    """
    if roll_back and finish:
        raise typer.BadParameter("give --roll-back or --finish, not both")
    with asking(url, token) as reactor, bars_shown() as progress:
        if finish:
            told = reactor.finish(model)
        else:
            told = reactor.roll_back(model) if roll_back else reactor.rebuild(model)
            if wait:
                _await_serving(reactor, told, progress)
    show_generations(told, json=json)


def replay(
    model: Model,
    begin: Begin = BEGINNING,
    wait: Wait = True,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show a read model its operations again, from a point of the log on, while it serves.

    From the beginning it is rebuilt. From a time or a position on, `documents` and
    `relationships` derive anew what was written since; a read model of yours gets a generation
    that is given nothing before. Side effects are muted.

    `docreactor replay documents --from 2026-01-31T08:00:00Z`
    """
    with asking(url, token) as reactor, bars_shown() as progress:
        if begin == BEGINNING or model not in BUILT_IN:
            told = reactor.rebuild(model, begin=begin)
            if wait:
                _await_serving(reactor, told, progress)
            show_generations(told, json=json)
            return

        def ask(partition: int, *, cursor: str | None) -> Replayed:
            return reactor.replay_partition(model, partition, begin=begin, cursor=cursor)

        pages = list(every_page(reactor, f"Replaying {model}", ask, progress))
    figures = {"documents": sum(page.documents for page in pages)}
    if json:
        show_json(figures)
    else:
        show_facts(figures)


def _await_serving(reactor: SyncReactor, told: Generations, progress: Progress) -> None:
    """Show how far the generation is until it serves in every partition; Exit if it is not to."""
    errors: dict[str, str] = {}
    total, is_known, heard_by = 0, False, time.monotonic() + _HEARD_WITHIN_S
    while True:
        # The next node to answer may not have heard of it yet.
        shown = next(one for one in reactor.read_models().read_models if one.name == told.name)
        is_next = shown.generation == told.generation and not shown.retired
        is_known = is_known or time.monotonic() > heard_by or shown.generation > told.generation
        if not is_next and is_known:
            typer.echo(f"Generation {told.generation} is not to serve any more.", err=True)
            raise typer.Exit(SUPERSEDED)
        is_known = is_known or is_next
        rows = reactor.positions(model=told.name).positions
        fresh = [row for row in rows if row.generation == told.generation]
        if len({row.partition for row in fresh if _serves(told, row)}) == shown.partitions:
            return
        if not total and len(fresh) == shown.partitions:
            total = sum(row.end_offset or 0 for row in fresh)
        progress(Step(f"Rebuilding {told.name}", min(total, sum(map(_done, fresh))), total))
        for partition, error in shown.errors.items():
            if errors.get(partition) != error:
                typer.echo(f"Partition {partition} waits: {error}", err=True)
        errors = shown.errors
        time.sleep(_LOOK_S)


def _serves(told: Generations, row: PartitionPosition) -> bool:
    return bool(row.serving) and (told.name != RELATIONSHIPS or bool(row.caught_up))


def _done(row: PartitionPosition) -> int:
    """How many records of the log it has behind it."""
    if row.name == RELATIONSHIPS and not row.caught_up:
        # Its position stands still while its edges are folded anew.
        return round((row.end_offset or 0) * (row.progress or 0.0))
    return row.next_offset or 0
