"""The options of every command that asks a running deployment."""

from __future__ import annotations

from typing import Annotated, Literal

import stamina
import typer

from docreactor.gateway.blocking import SyncReactor
from docreactor.pipeline.inputs import DEFAULT_BRANCH

_RETRY_FOR_S = 2.0

Url = Annotated[
    str, typer.Option("--url", envvar="DOCREACTOR_URL", help="Any node of the deployment.")
]
Bearer = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="DOCREACTOR_HTTP_TOKEN",
        show_envvar=True,
        help="Bearer token of the deployment.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
Branch = Annotated[str, typer.Option("--branch", help="Branch of the document.")]
After = Annotated[
    list[str] | None,
    typer.Option("--after", metavar="TOKEN", help="Show at least the write that gave this token."),
]
TimeoutMs = Annotated[int, typer.Option("--timeout-ms", help="How long to wait, milliseconds.")]
WaitFor = Annotated[
    Literal["none", "write", "read"],
    typer.Option("--wait", help="Until the write is stored, or until reads show it."),
]
Key = Annotated[
    str | None,
    typer.Option("--key", help="Idempotency key: the same request with it is stored once."),
]
Limit = Annotated[int, typer.Option("--limit", help="Rows in one page, 1,000 at most.")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="The next_cursor of the page before.")]

MAIN = DEFAULT_BRANCH


def asking(url: str, bearer: str | None) -> SyncReactor:
    """The deployment, asked again for a few seconds only and in silence: somebody looks on."""
    stamina.instrumentation.set_on_retry_hooks(())
    return SyncReactor(url, token=bearer, retry_for_s=_RETRY_FOR_S)


def waiting(wait: Literal["none", "write", "read"]) -> Literal["write", "read"] | None:
    """What the client is told."""
    return None if wait == "none" else wait
