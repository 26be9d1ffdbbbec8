"""The commands that tell which documents there are and what they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from docreactor.gateway.cli.screen import show_json, show_next, show_table
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
from docreactor.gateway.requests import LIMIT_DEFAULT, TIMEOUT_DEFAULT_MS

NOT_THERE = 1
"""How `exists` ends when there is no such document."""

DocumentId = Annotated[str, typer.Argument(help="Id of the document.")]
DocumentIds = Annotated[list[str], typer.Argument(help="Ids of the documents.")]
SlugNames = Annotated[list[str] | None, typer.Argument(help="The slugs; all, when none is named.")]
Contested = Annotated[
    bool, typer.Option("--contested", help="Only those that several documents claim.")
]


def exists(
    document_ids: DocumentIds,
    branch: Branch = MAIN,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Say which documents there are; a deleted one is none any more.

    `docreactor exists shop-1 shop-2`

    It ends with 1 unless there are all of them.
    """
    with asking(url, token) as reactor:
        exist = reactor.exists(document_ids, branch=branch, token=after, timeout_ms=timeout_ms)
    if json:
        show_json({"exists": exist})
    else:
        words = ["yes" if one else "no" for one in exist]
        show_table(("ID", "EXISTS"), zip(document_ids, words, strict=True))
    if not all(exist):
        raise typer.Exit(NOT_THERE)


def slugs(
    slugs: SlugNames = None,
    contested: Contested = False,
    branch: Branch = MAIN,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show which documents slugs stand for, and who else claims them.

    `docreactor slugs groceries docs/readme.md`

    `docreactor slugs --contested` shows the slugs that several documents claim: the newest claim
    stands, the others are behind it.

    `docreactor submit shop-1 SET_SLUG '{"slug": "groceries-2"}'` gives one of them another.
    """
    with asking(url, token) as reactor:
        page = reactor.slugs(
            slugs or None,
            contested=contested,
            branch=branch,
            limit=limit,
            cursor=cursor,
            token=after,
            timeout_ms=timeout_ms,
        )
    if json:
        show_json(page)
        return
    show_table(
        ("SLUG", "DOCUMENT", "SINCE", "CLAIMED BY ALSO"),
        [
            (
                one.slug,
                one.document_id,
                one.claimed_at,
                ", ".join(rival.document_id for rival in one.rivals),
            )
            for one in page.slugs
        ],
    )
    show_next(page.next_cursor)


def branches(
    document_id: DocumentId,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show the branches of a document, those where it was deleted too.

    `docreactor branches shop-1`

    `docreactor get shop-1 --branch draft` then shows one of them.
    """
    with asking(url, token) as reactor:
        page = reactor.branches(
            document_id, limit=limit, cursor=cursor, token=after, timeout_ms=timeout_ms
        )
    if json:
        show_json(page)
        return
    show_table(
        ("BRANCH", "SLUG", "NAME", "REVISION", "MODIFIED", "DELETED"),
        [
            (
                one.branch,
                one.slug,
                one.name,
                ", ".join(f"{name} {index}" for name, index in sorted(one.revision.items())),
                one.last_modified_at,
                one.deleted_at,
            )
            for one in page.branches
        ],
    )
    show_next(page.next_cursor)
