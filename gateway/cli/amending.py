"""The commands that change what was said before: undo, redo, rename, upgrade."""

from __future__ import annotations

from typing import Annotated

import typer

from docreactor.gateway.cli.given import given_object
from docreactor.gateway.cli.screen import show_job
from docreactor.gateway.cli.target import (
    MAIN,
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
from docreactor.gateway.requests import DEFAULT_SCOPE, TIMEOUT_DEFAULT_MS

DocumentId = Annotated[str, typer.Argument(help="Id of the document.")]
Scope = Annotated[str, typer.Option("--scope", help="Whose operations.")]
Name = Annotated[str, typer.Argument(help="Name for people; an empty one removes it.")]
ToVersion = Annotated[int, typer.Argument(help="A version of its model, a later one.")]
InitialState = Annotated[
    str | None,
    typer.Option("--initial-state", metavar="JSON", help="A state per scope. Also @FILE or -."),
]


def undo(
    document_id: DocumentId,
    scope: Scope = DEFAULT_SCOPE,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Undo the newest operation of a scope that is not undone yet.

    Nothing is removed: the undo is an operation of its own, and redo takes it back.

    `docreactor undo shop-1`

    `docreactor undo shop-1 --scope local`
    """
    with asking(url, token) as reactor:
        job = reactor.undo(
            document_id,
            scope=scope,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)


def redo(
    document_id: DocumentId,
    scope: Scope = DEFAULT_SCOPE,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Take back the newest undo of a scope.

    `docreactor redo shop-1`
    """
    with asking(url, token) as reactor:
        job = reactor.redo(
            document_id,
            scope=scope,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)


def rename(
    document_id: DocumentId,
    name: Name,
    scope: Scope = DEFAULT_SCOPE,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Give a document another name.

    `docreactor rename shop-1 "Weekly shop"`
    """
    with asking(url, token) as reactor:
        job = reactor.rename(
            document_id,
            name or None,
            scope=scope,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)


def upgrade(
    document_id: DocumentId,
    to_version: ToVersion,
    initial_state: InitialState = None,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Bring a document to a later version of its model.

    It is refused when the document changes meanwhile: run it again.

    `docreactor upgrade shop-1 2`
    """
    state = given_object(initial_state, name="--initial-state")
    with asking(url, token) as reactor:
        job = reactor.upgrade(
            document_id,
            to_version,
            initial_state=state,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)
