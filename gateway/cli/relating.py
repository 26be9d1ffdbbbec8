"""The commands that relate documents: relate, unrelate, add-children, remove-children."""

from __future__ import annotations

from typing import Annotated

import typer

from docreactor.gateway.cli.given import given_json
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
from docreactor.gateway.requests import TIMEOUT_DEFAULT_MS

DocumentId = Annotated[str, typer.Argument(help="Id of the document.")]
TargetId = Annotated[str, typer.Argument(help="Id of the other document; it need not exist.")]
Type = Annotated[str, typer.Argument(help="What the edge says, for example `cites`.")]
Metadata = Annotated[
    str | None,
    typer.Option("--metadata", metavar="JSON", help="Kept with the edge. Also @FILE or -."),
]
Weight = Annotated[float | None, typer.Option("--weight", help="A number kept with the edge.")]
Replace = Annotated[
    bool, typer.Option("--replace", help="Replace what is kept with an edge that is there.")
]
Children = Annotated[list[str], typer.Argument(help="Ids of the children.")]


def relate(
    document_id: DocumentId,
    target_id: TargetId,
    type: Type,
    metadata: Metadata = None,
    weight: Weight = None,
    replace: Replace = False,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Add an edge of a type from a document to another.

    `docreactor relate chapter-1 book-1 cites --metadata '{"page": 12}'`

    `docreactor relate chapter-1 book-1 cites --weight 0.5 --replace`
    """
    described = None if metadata is None else given_json(metadata, name="--metadata")
    with asking(url, token) as reactor:
        change = reactor.update_relationship if replace else reactor.relate
        job = change(
            document_id,
            target_id,
            type,
            metadata=described,
            weight=weight,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)


def unrelate(
    document_id: DocumentId,
    target_id: TargetId,
    type: Type,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Remove an edge.

    `docreactor unrelate chapter-1 book-1 cites`
    """
    with asking(url, token) as reactor:
        job = reactor.unrelate(
            document_id,
            target_id,
            type,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)


def add_children(
    document_id: DocumentId,
    children: Children,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Make documents children of a document: an edge of type `child` to each.

    `docreactor add-children drive-1 shop-1 shop-2`
    """
    with asking(url, token) as reactor:
        job = reactor.add_children(
            document_id,
            children,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)


def remove_children(
    document_id: DocumentId,
    children: Children,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Make documents no children of a document; they stay.

    `docreactor remove-children drive-1 shop-2`
    """
    with asking(url, token) as reactor:
        job = reactor.remove_children(
            document_id,
            children,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)
