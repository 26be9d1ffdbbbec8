"""The commands that show documents: get, find, history."""

from __future__ import annotations

from typing import Annotated

import typer

from docreactor.gateway.answers import Operations
from docreactor.gateway.cli.screen import (
    short,
    show_facts,
    show_json,
    show_next,
    show_pretty,
    show_table,
)
from docreactor.gateway.cli.target import (
    MAIN,
    After,
    Bearer,
    Branch,
    Cursor,
    Json,
    Limit,
    TimeoutMs,
    Url,
    asking,
)
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.requests import DEFAULT_SCOPE, LIMIT_DEFAULT, TIMEOUT_DEFAULT_MS

Identifier = Annotated[str, typer.Argument(help="Id or slug of the document.")]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help="Only this scope; may be repeated.")
]
AtIndex = Annotated[
    str | None,
    typer.Option("--at", metavar="SCOPE:INDEX", help="The state right after that operation."),
]
Ids = Annotated[list[str] | None, typer.Option("--id", help="By id; may be repeated.")]
Slugs = Annotated[list[str] | None, typer.Option("--slug", help="By slug; may be repeated.")]
Type = Annotated[str | None, typer.Option("--type", help="Of this document type.")]
DocumentId = Annotated[str, typer.Argument(help="Id of the document.")]
Scope = Annotated[str, typer.Option("--scope", help="Whose operations.")]
Since = Annotated[int, typer.Option("--since", help="Only indexes greater than this.")]
Types = Annotated[
    list[str] | None, typer.Option("--type", help="Only this type of action; may be repeated.")
]
Begin = Annotated[str | None, typer.Option("--from", help="Not before this time.")]
End = Annotated[str | None, typer.Option("--to", help="Not after this time.")]
Effective = Annotated[
    bool, typer.Option("--effective", help="Leave out what a later operation supersedes.")
]


def get(
    identifier: Identifier,
    scope: Scopes = None,
    at: AtIndex = None,
    branch: Branch = MAIN,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show a document.

    `docreactor get groceries`

    `docreactor get shop-1 --at global:3`
    """
    with asking(url, token) as reactor:
        document = reactor.get(
            identifier, branch=branch, scopes=scope, at=at, token=after, timeout_ms=timeout_ms
        )
    if json:
        show_json(document)
        return
    header = document.header
    revision = ", ".join(f"{name} {index}" for name, index in sorted(header.revision.items()))
    show_facts(
        {
            "id": header.id,
            "type": header.document_type,
            "slug": header.slug,
            "name": header.name,
            "branch": header.branch,
            "created": header.created_at,
            "modified": header.last_modified_at,
            "revision": revision,
            "position": document.position,
        }
    )
    show_pretty(document.state)


def find(
    id: Ids = None,
    slug: Slugs = None,
    type: Type = None,
    branch: Branch = MAIN,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Find documents by id, by slug or of a type.

    `docreactor find --type example/todo`

    `docreactor find --slug groceries --slug presents`
    """
    with asking(url, token) as reactor:
        page = reactor.find(
            ids=id,
            slugs=slug,
            type=type,
            branch=branch,
            limit=limit,
            cursor=cursor,
            token=after,
            timeout_ms=timeout_ms,
        )
    if json:
        show_json(page)
        return
    headers = [document.header for document in page.documents]
    show_table(
        ("ID", "TYPE", "SLUG", "NAME", "MODIFIED"),
        [(one.id, one.document_type, one.slug, one.name, one.last_modified_at) for one in headers],
    )
    show_next(page.next_cursor)


def history(
    document_id: DocumentId,
    scope: Scope = DEFAULT_SCOPE,
    since: Since = -1,
    type: Types = None,
    begin: Begin = None,
    end: End = None,
    effective: Effective = False,
    branch: Branch = MAIN,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show the operations of one scope, of a deleted document too.

    `docreactor history shop-1 --since 10`

    `docreactor history shop-1 --scope document`

    `docreactor history shop-1 --effective` shows the order that every replica agrees on.
    """
    with asking(url, token) as reactor:
        page = reactor.history(
            document_id,
            branch=branch,
            scope=scope,
            since=since,
            types=type,
            begin=begin,
            end=end,
            effective=effective,
            limit=limit,
            cursor=cursor,
            token=after,
            timeout_ms=timeout_ms,
        )
    if json:
        show_json(page)
        return
    _show_operations(page)


def _show_operations(page: Operations) -> None:
    show_table(
        ("INDEX", "TIME", "TYPE", "INPUT", "ERROR"),
        [
            (one.index, one.timestamp, one.action.type, short(one.action.input), one.error)
            for one in page.operations
        ],
    )
    show_next(page.next_cursor)
