"""The commands that show read models: which there are, and the rows of your own."""

from __future__ import annotations

from typing import Annotated

import typer

from docreactor.gateway.cli.screen import short, show_json, show_next, show_table
from docreactor.gateway.cli.target import After, Bearer, Cursor, Json, Limit, TimeoutMs, Url, asking
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.requests import LIMIT_DEFAULT, TIMEOUT_DEFAULT_MS

Name = Annotated[str, typer.Argument(help="The read model's name: docreactor read-models.")]
Key = Annotated[str | None, typer.Option("--key", help="Of this key alone.")]
Prefix = Annotated[str | None, typer.Option("--prefix", help="Of keys that begin so.")]
DocumentId = Annotated[
    str | None,
    typer.Option("--document", metavar="ID", help="Only where what is made of it is kept."),
]


def rows(
    name: Name,
    prefix: Prefix = None,
    key: Key = None,
    document: DocumentId = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show the rows of a read model of yours, a page at a time.

    `docreactor rows tags`

    `docreactor rows tags --prefix count/` shows the rows whose keys begin so.
    """
    with asking(url, token) as reactor:
        page = reactor.rows(
            name,
            key=key,
            prefix=prefix,
            document=document,
            limit=limit,
            cursor=cursor,
            token=after,
            timeout_ms=timeout_ms,
        )
    if json:
        show_json(page)
        return
    show_table(
        ("KEY", "VALUE", "PARTITION"),
        [(row.key, short(row.value), row.partition) for row in page.rows],
    )
    show_next(page.next_cursor)


def read_models(url: Url = DEFAULT_URL, token: Bearer = None, json: Json = False) -> None:
    """Show every read model of the deployment, and how far it is."""
    with asking(url, token) as reactor:
        page = reactor.read_models()
    if json:
        show_json(page)
        return
    show_table(
        ("NAME", "VERSION", "GENERATION", "REQUIRED", "SERVING", "LAG", "ERROR"),
        [
            (
                one.name,
                one.version,
                one.generation,
                "retired" if one.retired else "yes" if one.required else "no",
                f"{one.serving} of {one.partitions}",
                one.lag,
                next(iter(one.errors.values()), None),
            )
            for one in page.read_models
        ],
    )
