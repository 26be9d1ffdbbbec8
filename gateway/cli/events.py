"""The command that shows what happens, as it happens."""

from __future__ import annotations

from typing import Annotated

import stamina
import typer

from docreactor.gateway.blocking import SyncReactor
from docreactor.gateway.cli.screen import console, show_json
from docreactor.gateway.cli.target import Bearer, Url
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.events.answers import AnyEvent, RelationshipEvent
from docreactor.gateway.stopping import stoppable

Names = Annotated[
    list[str] | None,
    typer.Option(
        "--events",
        metavar="NAME",
        help="document.created, document.updated, document.deleted or relationship.changed; "
        "repeat it for several, as every filter.",
    ),
]
Types = Annotated[list[str] | None, typer.Option("--type", help="Of documents of this type only.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Of this document only.")]
Parents = Annotated[
    list[str] | None, typer.Option("--parent", help="Of the children of this document only.")
]
Branches = Annotated[list[str] | None, typer.Option("--branch", help="Of this branch only.")]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help="Of what was stored in this scope only.")
]
From = Annotated[
    str | None,
    typer.Option("--cursor", help="Go on behind the event that had this cursor, see --json."),
]
Lines = Annotated[bool, typer.Option("--json", help="Print each as one line of JSON.")]


def events(
    names: Names = None,
    type: Types = None,
    id: Ids = None,
    parent: Parents = None,
    branch: Branches = None,
    scope: Scopes = None,
    cursor: From = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Lines = False,
) -> None:
    """Show what happens to documents and relationships, each once reads show it, until Ctrl-C.

    `docreactor events --type example/todo`

    `docreactor events --events document.deleted --json`
    """
    stamina.instrumentation.set_on_retry_hooks(())
    with (
        stoppable(),
        SyncReactor(url, token=token) as reactor,
        reactor.events(
            events=names,
            type=type,
            id=id,
            parent=parent,
            branch=branch,
            scope=scope,
            cursor=cursor,
        ) as happening,
    ):
        for event in happening:
            if json:
                show_json(event)
            else:
                _show(event)


def _show(event: AnyEvent) -> None:
    if isinstance(event, RelationshipEvent):
        about = f"{event.source_id} -{event.type}-> {event.target_id}  {event.change}"
    else:
        scopes = "erased" if event.erased else ",".join(event.scopes)
        about = "  ".join(filter(None, (event.document_id, event.document_type, scopes)))
    line = f"{event.event:<20}  {about}  {event.branch or ''}"
    console().print(line.rstrip(), soft_wrap=True, markup=False, highlight=False)
