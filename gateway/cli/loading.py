"""The command that brings operations from elsewhere: load."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer

from docreactor.gateway.cli.given import given_json, objects
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
Operations = Annotated[
    str,
    typer.Argument(
        metavar="OPERATIONS", help="What `history --json` prints: JSON, @FILE, or - for stdin."
    ),
]
Source = Annotated[str | None, typer.Option("--source", help="Name of where they come from.")]


def load(
    document_id: DocumentId,
    operations: Operations,
    source: Source = None,
    branch: Branch = MAIN,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Load operations of one scope from elsewhere; each finds its place by time.

    Those that are known already are dropped, so loading twice changes nothing.

    `docreactor history shop-1 --json --url http://a:8080 | docreactor load shop-1 -`

    `docreactor load shop-1 @operations.json --source berlin`
    """
    given = given_json(operations, name="OPERATIONS")
    if isinstance(given, dict):
        page = cast(dict[str, Any], given)
        given = page.get("operations")
    listed = objects(given, name="OPERATIONS", what="operations, or a page of a history")
    with asking(url, token) as reactor:
        job = reactor.load(
            document_id,
            listed,
            source=source,
            branch=branch,
            wait=waiting(wait),
            timeout_ms=timeout_ms,
            idempotency_key=key,
        )
    show_job(job, json=json)
