"""The commands that change documents: create, submit, delete."""

from __future__ import annotations

from typing import Annotated

import typer

from docreactor.gateway.cli.given import given_json, given_object, objects
from docreactor.gateway.cli.screen import show_job
from docreactor.gateway.cli.target import (
    MAIN,
    After,
    Bearer,
    Branch,
    Json,
    Key,
    TimeoutMs,
    Url,
    WaitFor,
    asking,
    waiting,
)
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.requests import DEFAULT_SCOPE, TIMEOUT_DEFAULT_MS, Cascade

DocumentId = Annotated[str, typer.Argument(help="Id of the document.")]
DocumentType = Annotated[str, typer.Argument(help="A type of `docreactor models`.")]
NewId = Annotated[str | None, typer.Option("--id", help="Id of the document; else minted.")]
Slug = Annotated[str | None, typer.Option("--slug", help="Another name to find it by.")]
Name = Annotated[str | None, typer.Option("--name", help="Name for people.")]
Timestamp = Annotated[
    str | None, typer.Option("--timestamp", help="When it happened: 2024-05-01T12:00:00Z.")
]
InitialState = Annotated[
    str | None,
    typer.Option("--initial-state", metavar="JSON", help="A state per scope. Also @FILE or -."),
]
Meta = Annotated[
    str | None, typer.Option("--meta", metavar="JSON", help="Kept in the header. Also @FILE or -.")
]
Parent = Annotated[
    str | None, typer.Option("--parent", help="Id of the document that it becomes a child of.")
]
ActionType = Annotated[str | None, typer.Argument(metavar="TYPE", help="Type of the action.")]
Input = Annotated[
    str | None,
    typer.Argument(metavar="INPUT", help="Its input: JSON, @FILE, or - for standard input."),
]
Actions = Annotated[
    str | None,
    typer.Option("--actions", metavar="JSON", help="A list of actions. Also @FILE or -."),
]
Scope = Annotated[str, typer.Option("--scope", help="Scope of the action.")]
ActionId = Annotated[str | None, typer.Option("--id", help="Id of the action; else minted.")]
CascadeTo = Annotated[
    Cascade, typer.Option("--cascade", help="What goes with it, as reads after --after show it.")
]
Expected = Annotated[
    int | None,
    typer.Option("--expected-revision", help="Refuse unless the scope's next index is this."),
]


def create(
    document_type: DocumentType,
    id: NewId = None,
    slug: Slug = None,
    name: Name = None,
    branch: Branch = MAIN,
    timestamp: Timestamp = None,
    initial_state: InitialState = None,
    meta: Meta = None,
    parent: Parent = None,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Create a document.

    `docreactor create example/todo --slug groceries --parent drive-1`

    `docreactor create example/todo --id shop-1 --initial-state '{"global": {"items": ["Milk"]}}'`
    """
    state = given_object(initial_state, name="--initial-state")
    described = given_object(meta, name="--meta")
    with asking(url, token) as reactor:
        job = reactor.create(
            document_type,
            id=id,
            slug=slug,
            name=name,
            branch=branch,
            timestamp=timestamp,
            initial_state=state,
            meta=described,
            parent=parent,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)


def submit(
    document_id: DocumentId,
    action_type: ActionType = None,
    input: Input = None,
    actions: Actions = None,
    scope: Scope = DEFAULT_SCOPE,
    id: ActionId = None,
    timestamp: Timestamp = None,
    branch: Branch = MAIN,
    expected_revision: Expected = None,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Submit one action, or with --actions several: all of them or none.

    `docreactor submit shop-1 ADD_ITEM '{"text": "Milk"}'`

    `docreactor submit shop-1 --actions @actions.json`

    `echo '{"text": "Bread"}' | docreactor submit shop-1 ADD_ITEM -`
    """
    if actions is not None and action_type is not None:
        raise typer.BadParameter("give either TYPE and INPUT or --actions")
    if actions is not None:
        given = given_json(actions, name="--actions")
        asked = objects(given, name="--actions", what="actions")
    elif action_type is not None:
        action = {"type": action_type, "scope": scope, "id": id, "timestamp": timestamp}
        asked = [{field: value for field, value in action.items() if value is not None}]
        asked[0]["input"] = given_json("{}" if input is None else input, name="INPUT")
    else:
        raise typer.BadParameter("say which action: TYPE and INPUT, or --actions")
    with asking(url, token) as reactor:
        job = reactor.submit(
            document_id,
            asked,
            branch=branch,
            expected_revision=expected_revision,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)


def delete(
    document_id: DocumentId,
    cascade: CascadeTo = "none",
    after: After = None,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Delete a document; its history stays readable, and so do its edges.

    With --cascade edges, the edges from it and to it are removed first. With --cascade children,
    its children are deleted too, and theirs, unless they have another parent that stays.

    `docreactor delete shop-1`

    `docreactor delete drive-1 --cascade children`
    """
    with asking(url, token) as reactor:
        job = reactor.delete(
            document_id,
            cascade=cascade,
            token=after,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)
    if not json and job.jobs:
        typer.echo(f"With it went {len(job.jobs)} other jobs; {len(job.failures)} failed.")
        for failed in job.failures:
            show_job(failed, json=False)
