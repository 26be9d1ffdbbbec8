"""The commands about parents and children: graph children, graph parents, graph orphans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from docreactor.gateway.cli.branches import Bough, show_tree, tree_of
from docreactor.gateway.cli.screen import show_json, show_next
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
from docreactor.gateway.edges import Ids
from docreactor.gateway.requests import LIMIT_DEFAULT, TIMEOUT_DEFAULT_MS
from docreactor.pipeline.edge import CHILD

DocumentId = Annotated[str, typer.Argument(help="Id of the document.")]
Parents = Annotated[list[str], typer.Argument(help="Ids of documents.")]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", help="Of the edges to children, `child` unless told; may be repeated."),
]
Depth = Annotated[int, typer.Option("--depth", min=1, help="So many levels.")]


def children(
    document_id: DocumentId,
    depth: Depth = 1,
    branch: Branch = MAIN,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """List the children of a document, or with --depth a tree of them and of theirs.

    In a tree, --limit is for the children of each document.

    `docreactor graph children drive-1`

    `docreactor graph children drive-1 --depth 3`
    """
    with asking(url, token) as reactor:

        def page(parent_id: str, cursor: str | None = None) -> Ids:
            return reactor.children(
                parent_id,
                branch=branch,
                limit=limit,
                cursor=cursor,
                token=after,
                timeout_ms=timeout_ms,
            )

        if depth == 1:
            _show_ids(page(document_id, cursor), json=json)
            return
        if cursor is not None:
            raise typer.BadParameter("--cursor continues a list: leave out --depth")
        tree = tree_of(document_id, _downwards(page), depth=depth)
    if json:
        show_json(tree)
    else:
        show_tree(tree)


def parents(
    document_id: DocumentId,
    branch: Branch = MAIN,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """List the documents that a document is a child of.

    `docreactor graph parents chapter-1`
    """
    with asking(url, token) as reactor:
        page = reactor.parents(
            document_id,
            branch=branch,
            limit=limit,
            cursor=cursor,
            token=after,
            timeout_ms=timeout_ms,
        )
    _show_ids(page, json=json)


def orphans(
    parents: Parents,
    type: Types = None,
    branch: Branch = MAIN,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """List the children that have no other parent than these: what would be nobody's without them.

    `docreactor graph orphans drive-1 drive-2`
    """
    with asking(url, token) as reactor:
        page = reactor.orphans(
            parents,
            type,
            branch=branch,
            limit=limit,
            cursor=cursor,
            token=after,
            timeout_ms=timeout_ms,
        )
    _show_ids(page, json=json)


def _downwards(page: Callable[[str], Ids]) -> Callable[[str], Bough]:
    def grow(document_id: str) -> Bough:
        found = page(document_id)
        return Bough([(one, CHILD) for one in found.ids], found.next_cursor is not None)

    return grow


def _show_ids(page: Ids, *, json: bool) -> None:
    if json:
        show_json(page)
        return
    for one in page.ids:
        typer.echo(one)
    show_next(page.next_cursor)
