"""The commands that look after what is stored: verify, erase."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Protocol, TypeVar

import typer

from docreactor.gateway.answers import Finding
from docreactor.gateway.blocking import SyncReactor
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.cli.import_git import bars_shown
from docreactor.gateway.cli.screen import show_facts, show_job, show_json, show_table
from docreactor.gateway.cli.target import (
    Bearer,
    Json,
    TimeoutMs,
    Url,
    WaitFor,
    asking,
    waiting,
)
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.requests import TIMEOUT_DEFAULT_MS

FOUND = 1
"""How a command ends that has found something wrong."""

_Paged_co = TypeVar("_Paged_co", bound="Page", covariant=True)

Documents = Annotated[list[str] | None, typer.Argument(help="Ids of documents.")]
DocumentId = Annotated[str, typer.Argument(help="Id of the document.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Accept = Annotated[
    bool,
    typer.Option(
        "--accept", help="Take what the present models give where only recorded hashes differ."
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every document of the deployment.")]


def verify(
    documents: Documents = None,
    all: All = False,
    accept: Accept = False,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Compare what is stored with everything that was made of it; exit code 1 with findings.

    Stored operations, their chain, their order, every hash by replay, keyframes, tables and
    slugs. Nothing is changed without --accept.

    `docreactor verify shop-1`

    `docreactor verify shop-1 --accept` shows a document again that was set aside because its model
    gives other states than were recorded: what the model gives is taken from here on. What was
    changed or lost on the log cannot be accepted.

    `docreactor verify --all`
    """
    if bool(documents) == all:
        raise typer.BadParameter("give either ids of documents or --all")
    with asking(url, token) as reactor, bars_shown() as progress:
        pages = [reactor.verify(document_id, accept=accept) for document_id in documents or []]
        if all:
            what = "Verifying partitions"
            pages += every_page(
                reactor, what, partial(reactor.verify_partition, accept=accept), progress
            )
    findings = [finding for page in pages for finding in page.findings]
    figures = {
        "documents": sum(page.documents for page in pages),
        "operations": sum(page.operations for page in pages),
        "accepted": sum(page.accepted for page in pages),
        "findings": len(findings),
    }
    if json:
        show_json(figures | {"findings": [one.model_dump(mode="json") for one in findings]})
    else:
        show_facts(figures)
        show_findings(findings)
    if findings:
        raise typer.Exit(FOUND)


def erase(
    document_id: DocumentId,
    yes: Yes = False,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Remove every trace of a document, on all its branches. There is no way back.

    Its id is never used again. `docreactor delete` hides a document and keeps its history.

    `docreactor erase shop-1 --yes`
    """
    if not yes:
        question = f"Remove every trace of document {document_id}, for ever?"
        typer.confirm(question, abort=True, err=True)
    with asking(url, token) as reactor:
        job = reactor.erase(document_id, wait=waiting(wait), timeout_ms=timeout_ms)
    show_job(job, json=json)
    if job.notice and not json:
        typer.echo(f"Notice: {job.notice}.", err=True)


class Page(Protocol):
    """What a call answers page by page."""

    @property
    def next_cursor(self) -> str | None: ...


class Ask(Protocol[_Paged_co]):
    """A call that answers page by page, for one partition."""

    def __call__(self, partition: int, *, cursor: str | None) -> _Paged_co: ...


def every_page(
    reactor: SyncReactor, what: str, ask: Ask[_Paged_co], progress: Progress
) -> Iterator[_Paged_co]:
    """Partition by partition, page by page."""
    partitions = max(one.partition for one in reactor.positions().positions) + 1
    for partition in range(partitions):
        progress(Step(what, partition, partitions))
        page = ask(partition, cursor=None)
        yield page
        while page.next_cursor is not None:
            page = ask(partition, cursor=page.next_cursor)
            yield page


def show_findings(findings: list[Finding]) -> None:
    """A table of them, or nothing."""
    if findings:
        show_table(("FINDING", "DOCUMENT", "SCOPE", "BRANCH", "INDEX", "DETAIL"), _rows(findings))


def _rows(findings: list[Finding]) -> Iterator[tuple[Any, ...]]:
    for one in findings:
        yield one.name, one.document_id, one.scope, one.branch, one.index, one.detail
