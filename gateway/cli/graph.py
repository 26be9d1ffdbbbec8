"""The commands that follow edges: docreactor graph …"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from docreactor.gateway.cli.branches import Bough, show_tree, tree_of
from docreactor.gateway.cli.family import children, orphans, parents
from docreactor.gateway.cli.screen import short, show_json, show_next, show_table
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
from docreactor.gateway.edges import Direction, Edge
from docreactor.gateway.requests import LIMIT_DEFAULT, TIMEOUT_DEFAULT_MS
from docreactor.pipeline.graph import DocumentGraph

NOT_THERE = 1
"""How a command ends that looked for something that is not there."""

_DEPTH = 100

app = typer.Typer(
    name="graph",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""How documents are related.

    An edge leads from one document to another and has a type. `docreactor relate` adds one,
    `docreactor add-children` adds edges of type `child`. A deleted document keeps its edges, unless
    it was deleted with --cascade.""",
)

DocumentId = Annotated[str, typer.Argument(help="Id of the document.")]
Source = Annotated[str, typer.Argument(help="Id of the document that it begins at.")]
Target = Annotated[str, typer.Argument(help="Id of the document that it leads to.")]
Types = Annotated[
    list[str] | None, typer.Option("--type", help="Only edges of this type; may be repeated.")
]
Way = Annotated[
    Direction, typer.Option("--direction", help="Edges from the document, or to it, or both.")
]
Other = Annotated[
    str | None, typer.Option("--with", metavar="ID", help="Only those with this other document.")
]
Depth = Annotated[int, typer.Option("--depth", min=1, help="So many levels.")]


@app.command()
def edges(
    document_id: DocumentId,
    direction: Way = "both",
    other: Other = None,
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
    """List the edges of a document.

    `docreactor graph edges chapter-1`

    `docreactor graph edges chapter-1 --direction out --with book-1 --type cites`
    """
    with asking(url, token) as reactor:
        page = reactor.relationships(
            document_id,
            direction=direction,
            types=type,
            other=other,
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
        ("FROM", "TYPE", "TO", "CREATED", "WEIGHT", "METADATA"),
        [
            (one.source_id, one.type, one.target_id, one.created_at, one.weight, _known(one))
            for one in page.relationships
        ],
    )
    show_next(page.next_cursor)


@app.command()
def path(
    source: Source,
    target: Target,
    type: Types = None,
    branch: Branch = MAIN,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Find a way of fewest edges from one document to another; exit code 1 when there is none.

    `docreactor graph path drive-1 chapter-1 --type child`
    """
    with asking(url, token) as reactor:
        way = reactor.path(source, target, type, branch=branch, token=after, timeout_ms=timeout_ms)
    if json:
        show_json({"path": way})
    elif way is None:
        typer.echo(f"No way leads from {source} to {target}.", err=True)
    else:
        typer.echo("\n".join(way))
    if way is None:
        raise typer.Exit(NOT_THERE)


@app.command()
def has(
    source: Source,
    target: Target,
    type: Types = None,
    branch: Branch = MAIN,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Say whether an edge leads from one document to another; exit code 1 when none does.

    `docreactor graph has chapter-1 book-1 --type cites --type quotes`
    """
    with asking(url, token) as reactor:
        is_there = reactor.has_relationship(
            source, target, type, branch=branch, token=after, timeout_ms=timeout_ms
        )
    if json:
        show_json({"has": is_there})
    else:
        typer.echo("yes" if is_there else "no")
    if not is_there:
        raise typer.Exit(NOT_THERE)


@app.command()
def ancestors(
    document_id: DocumentId,
    type: Types = None,
    depth: Depth = _DEPTH,
    branch: Branch = MAIN,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show everything from where edges lead to a document, as a tree that grows towards it.

    With --json it is a graph, whole at any depth: its documents, and the edges between them.

    `docreactor graph ancestors chapter-1 --type child`

    `docreactor graph ancestors chapter-1 --depth 2`
    """
    with asking(url, token) as reactor:
        graph = reactor.ancestors(
            document_id, type, branch=branch, token=after, timeout_ms=timeout_ms
        )
    if json:
        show_json(graph.json)
    else:
        show_tree(tree_of(document_id, _upwards(graph), depth=depth))


@app.command()
def types(
    branch: Branch = MAIN,
    after: After = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """List the types of all edges there are.

    `docreactor graph types`
    """
    with asking(url, token) as reactor:
        found = reactor.relationship_types(branch=branch, token=after, timeout_ms=timeout_ms)
    if json:
        show_json({"types": found})
        return
    for one in found:
        typer.echo(one)


for one in (children, parents, orphans):
    app.command()(one)


def _upwards(graph: DocumentGraph) -> Callable[[str], Bough]:
    sources: dict[str, list[tuple[str, str]]] = {}
    for edge in graph.edges:
        sources.setdefault(edge.target_id, []).append((edge.source_id, edge.type))
    return lambda document_id: Bough(sources.get(document_id, ()))


def _known(edge: Edge) -> str | None:
    return None if edge.metadata is None else short(edge.metadata)
