"""The commands that show documents: get, find, history."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from docreactor.gateway.answers import Document, Documents, Operations
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
By = Annotated[
    Literal["id", "slug"] | None,
    typer.Option("--by", help="What the identifier is, when it could be both."),
]
HeaderOnly = Annotated[bool, typer.Option("--header-only", help="No state.")]
IncludeDeleted = Annotated[
    bool, typer.Option("--include-deleted", help="A deleted document too, as it was last.")
]
Deleted = Annotated[bool, typer.Option("--deleted", help="Deleted documents alone.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="By id; may be repeated.")]
Slugs = Annotated[list[str] | None, typer.Option("--slug", help="By slug; may be repeated.")]
Parent = Annotated[str | None, typer.Option("--parent", help="The children of this document.")]
Type = Annotated[str | None, typer.Option("--type", help="Of this document type.")]
Order = Annotated[
    Literal["id", "updated", "-updated"],
    typer.Option("--order", help="How a type is listed: by id, or last changed first, or last."),
]
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
    by: By = None,
    scope: Scopes = None,
    at: AtIndex = None,
    header_only: HeaderOnly = False,
    include_deleted: IncludeDeleted = False,
    branch: Branch = MAIN,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show a document, by its id or by its slug.

    `docreactor get groceries`

    `docreactor get shop-1 --at global:3` shows the state right after that operation.

    `docreactor get shop-1 --include-deleted` shows a deleted document as it was last.
    """
    with asking(url, token) as reactor:
        document = reactor.get(
            identifier,
            by=by,
            branch=branch,
            scopes=scope,
            at=at,
            header_only=header_only,
            include_deleted=include_deleted,
            token=after,
            timeout_ms=timeout_ms,
        )
    if json:
        show_json(document)
        return
    _show_header(document)
    if not header_only:
        show_pretty(document.state)


def _show_header(document: Document) -> None:
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
            "deleted": header.deleted_at,
            "revision": revision,
            "position": document.position,
        }
    )


def find(
    id: Ids = None,
    slug: Slugs = None,
    parent: Parent = None,
    type: Type = None,
    order: Order = "id",
    scope: Scopes = None,
    header_only: HeaderOnly = False,
    include_deleted: IncludeDeleted = False,
    deleted: Deleted = False,
    branch: Branch = MAIN,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Find documents: by id, else by slug, else the children of a parent, else of a type.

    `docreactor find --type example/todo --order updated` shows first what was changed last.

    `docreactor find --slug groceries --slug presents`

    `docreactor find --parent shop-1 --type example/todo` shows children of that type alone.

    `docreactor find --type example/todo --deleted`
    """
    with asking(url, token) as reactor:
        page = reactor.find(
            ids=id,
            slugs=slug,
            parent=parent,
            type=type,
            order=order,
            branch=branch,
            scopes=scope,
            header_only=header_only,
            include_deleted=include_deleted,
            deleted=deleted,
            limit=limit,
            cursor=cursor,
            token=after,
            timeout_ms=timeout_ms,
        )
    if json:
        show_json(page)
    else:
        _show_found(page)


def _show_found(page: Documents) -> None:
    show_table(
        ("ID", "TYPE", "SLUG", "NAME", "MODIFIED", "DELETED", "SET ASIDE"),
        [
            (
                one.header.id,
                one.header.document_type,
                one.header.slug,
                one.header.name,
                one.header.last_modified_at,
                one.header.deleted_at,
                one.problem and one.problem["title"],
            )
            for one in page.documents
        ],
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
