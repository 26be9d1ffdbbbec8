"""The commands that look after what is stored: verify."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from docreactor.gateway.answers import Finding, Verified
from docreactor.gateway.blocking import SyncReactor
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.cli.import_git import bars_shown
from docreactor.gateway.cli.screen import show_facts, show_json, show_table
from docreactor.gateway.cli.target import Bearer, Json, Url, asking
from docreactor.gateway.client import DEFAULT_URL

_FOUND = 1

Documents = Annotated[list[str] | None, typer.Argument(help="Ids of documents.")]
All = Annotated[bool, typer.Option("--all", help="Every document of the deployment.")]


def verify(
    documents: Documents = None,
    all: All = False,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Compare what is stored with everything that was made of it; exit code 1 with findings.

    Stored operations, their chain, their order, every hash by replay, keyframes, tables and
    slugs. Nothing is changed.

    `docreactor verify shop-1`

    `docreactor verify --all`
    """
    if bool(documents) == all:
        raise typer.BadParameter("give either ids of documents or --all")
    with asking(url, token) as reactor, bars_shown() as progress:
        pages = list(_all(reactor, progress) if all else _each(reactor, documents or []))
    findings = [finding for page in pages for finding in page.findings]
    figures = {
        "documents": sum(page.documents for page in pages),
        "operations": sum(page.operations for page in pages),
        "findings": len(findings),
    }
    if json:
        show_json(figures | {"findings": [one.model_dump(mode="json") for one in findings]})
    else:
        show_facts(figures)
        _show(findings)
    if findings:
        raise typer.Exit(_FOUND)


def _each(reactor: SyncReactor, documents: list[str]) -> Iterator[Verified]:
    for document_id in documents:
        yield reactor.verify(document_id)


def _all(reactor: SyncReactor, progress: Progress) -> Iterator[Verified]:
    """Partition by partition, page by page."""
    partitions = sorted({one.partition for one in reactor.positions().positions})
    for done, partition in enumerate(partitions):
        progress(Step("Verifying partitions", done, len(partitions)))
        page = reactor.verify_partition(partition)
        yield page
        while page.next_cursor is not None:
            page = reactor.verify_partition(partition, cursor=page.next_cursor)
            yield page


def _show(findings: list[Finding]) -> None:
    if findings:
        show_table(("FINDING", "DOCUMENT", "SCOPE", "BRANCH", "INDEX", "DETAIL"), _rows(findings))


def _rows(findings: list[Finding]) -> Iterator[tuple[Any, ...]]:
    for one in findings:
        yield one.name, one.document_id, one.scope, one.branch, one.index, one.detail
