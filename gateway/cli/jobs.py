"""The commands about jobs that wait: batch, jobs cancel."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import typer

from docreactor.gateway.cli.given import given_json, objects
from docreactor.gateway.cli.screen import show_job, show_json, show_table
from docreactor.gateway.cli.target import (
    Bearer,
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
from docreactor.pipeline.job import JobStatus

_FAILED = 1

app = typer.Typer(
    name="jobs",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Jobs that were submitted and have not run yet.

    A job is deferred while it waits for another one or for its document.""",
)

Jobs = Annotated[
    str, typer.Argument(metavar="JOBS", help="The jobs: JSON, @FILE, or - for standard input.")
]
JobId = Annotated[str, typer.Argument(help="Id of the job.")]
WaitForWrite = Annotated[
    Literal["none", "write"], typer.Option("--wait", help="Until the job has failed.")
]


def batch(
    jobs: Jobs,
    wait: WaitFor = "read",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    key: Key = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Submit several jobs that wait for each other; exit code 1 when one of them failed.

    All are enqueued or none. Each ends for itself: a batch is an order and no transaction.

    `docreactor batch @jobs.json`

    `docreactor batch '[{"key": "a", "document_id": "shop-1", "actions":
    [{"type": "ADD_ITEM", "input": {"text": "Milk"}}]}, {"key": "b", "document_id": "shop-2",
    "depends_on": ["a"], "actions": [{"type": "ADD_ITEM", "input": {"text": "Bread"}}]}]'`
    """
    given = given_json(jobs, name="JOBS")
    if isinstance(given, dict):
        given = cast(dict[str, Any], given).get("jobs")
    listed = objects(given, name="JOBS", what="jobs, or an object that holds one as `jobs`")
    with asking(url, token) as reactor:
        answer = reactor.batch(
            listed, wait=waiting(wait), timeout_ms=timeout_ms, idempotency_key=key
        )
    if json:
        show_json(answer)
    else:
        show_table(
            ("KEY", "JOB", "DOCUMENT", "STATUS", "ERROR"),
            [
                (
                    name,
                    job.id,
                    job.document_id,
                    job.status.value,
                    None if job.failure is None else job.failure.message,
                )
                for name, job in answer.jobs.items()
            ],
        )
    if any(job.status is JobStatus.FAILED for job in answer.jobs.values()):
        raise typer.Exit(_FAILED)


@app.command()
def cancel(
    job_id: JobId,
    wait: WaitForWrite = "write",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Cancel a deferred job: it fails, and those that wait for it go on.

    `docreactor jobs cancel 01981c0e-7d4f-7000-8000-000000000000-3`
    """
    with asking(url, token) as reactor:
        job = reactor.cancel(
            job_id, wait=None if wait == "none" else "write", timeout_ms=timeout_ms
        )
    show_job(job, json=json)
