"""The commands that tell of a deployment: job, status, wait, settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from docreactor.gateway.answers import PartitionPosition
from docreactor.gateway.cli.choices import chosen
from docreactor.gateway.cli.screen import show_facts, show_job, show_json, show_table
from docreactor.gateway.cli.target import (
    After,
    Bearer,
    Json,
    TimeoutMs,
    Url,
    WaitFor,
    asking,
    waiting,
)
from docreactor.gateway.client import DEFAULT_URL
from docreactor.gateway.coordinates import Coordinate
from docreactor.gateway.requests import TIMEOUT_DEFAULT_MS
from docreactor.pipeline.settings import Settings

JobId = Annotated[str, typer.Argument(help="Id of the job.")]
Operations = Annotated[
    list[str] | None,
    typer.Option(
        "--coordinates",
        metavar="DOC/SCOPE/BRANCH/INDEX",
        help="Show at least this operation, counted from 0; may be repeated.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", help="One read model, instead of every required one."),
]
OfModel = Annotated[str | None, typer.Option("--model", help="Of this read model alone.")]
OfPartition = Annotated[int | None, typer.Option("--partition", help="Of this partition alone.")]
_HIDDEN = "********"
_PARTS = 4


def job(
    job_id: JobId,
    wait: WaitFor = "none",
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show what became of a job.

    `docreactor job 01981c0e-7d4f-7000-8000-000000000000-3 --wait read`
    """
    until = waiting(wait)
    with asking(url, token) as reactor:
        if until is None:
            found = reactor.job(job_id)
        else:
            found = reactor.wait(job_id, until, timeout_ms=timeout_ms)
    show_job(found, json=json)


def status(
    model: OfModel = None,
    partition: OfPartition = None,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Show how far every reducer and read model is, and which node runs it.

    What is ready is what every required read model shows: READ_READY waits for that.
    """
    with asking(url, token) as reactor:
        page = reactor.positions(model=model, partition=partition)
    if json:
        show_json(page)
        return
    show_table(
        ("PARTITION", "AGENT", "STATE", "NEXT OFFSET", "LAG", "PROGRESS", "NODE", "ERROR"),
        [_row(one) for one in sorted(page.positions, key=lambda one: (one.partition, one.kind))],
    )
    ready = (f"{number}: {offset}" for number, offset in sorted(page.ready.items()))
    show_facts({"required": ", ".join(page.required), "ready": ", ".join(ready)})


def wait(
    after: After = None,
    at: Operations = None,
    model: Model = None,
    timeout_ms: TimeoutMs = TIMEOUT_DEFAULT_MS,
    url: Url = DEFAULT_URL,
    token: Bearer = None,
    json: Json = False,
) -> None:
    """Wait until reads show what was written; exit code 1 when they do not in time.

    `docreactor wait --after 0123456789abcdef0123456789abcdef.3-17`

    `docreactor wait --coordinates shop-1/global/main/0 --model documents`
    """
    coordinates = [_coordinate(one) for one in at or ()]
    with asking(url, token) as reactor:
        shown = reactor.wait_for(after, coordinates=coordinates, model=model, timeout_ms=timeout_ms)
    if json:
        show_json(shown)
        return
    show_facts({"token": shown.token, "position": shown.position})


def settings(json: Json = False) -> None:
    """Show every setting: its variable, what it means, its default and its present value."""
    rows = list(_settings(chosen()))
    if json:
        show_json(rows)
        return
    columns = ("variable", "value", "default", "meaning")
    show_table(
        [column.upper() for column in columns], [[row[name] for name in columns] for row in rows]
    )


def _coordinate(text: str) -> Coordinate:
    parts = text.split("/")
    if len(parts) != _PARTS or not parts[-1].isdecimal():
        raise typer.BadParameter(f"{text}: is no DOC/SCOPE/BRANCH/INDEX")
    document_id, scope, branch, index = parts
    return Coordinate(
        document_id=document_id, scope=scope, branch=branch, operation_index=int(index)
    )


def _row(one: PartitionPosition) -> tuple[object, ...]:
    progress = None if one.progress is None else f"{one.progress:.0%}"
    agent = one.name if one.kind == one.name else f"{one.kind} {one.name}"
    return one.partition, agent, one.state, one.next_offset, one.lag, progress, one.url, one.error


def _settings(present: Settings) -> Iterator[dict[str, Any]]:
    prefix = Settings.model_config.get("env_prefix", "")
    for name, field in Settings.model_fields.items():
        yield {
            "variable": f"{prefix}{name.upper()}",
            "value": _readable(getattr(present, name)),
            "default": _readable(field.get_default(call_default_factory=True, validated_data={})),
            "meaning": field.description,
        }


def _readable(value: object) -> object:
    if isinstance(value, SecretStr):
        return _HIDDEN
    return value if value is None or isinstance(value, int | float | str) else str(value)
