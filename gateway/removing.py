"""The calls of the Python client that remove documents."""

from __future__ import annotations

from collections.abc import Sequence

from docreactor.gateway.answers import Deletion, Job
from docreactor.gateway.changes import Wait, segment
from docreactor.gateway.connection import Connection, joined
from docreactor.gateway.reading import Tokens
from docreactor.gateway.requests import TIMEOUT_DEFAULT_MS, Cascade
from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.inputs import DEFAULT_BRANCH


class Removing:
    """What deletes and erases. With `wait`, a failure is raised and the job has got there."""

    _connection: Connection
    _minter: IdMinter

    async def delete(
        self,
        document_id: str,
        *,
        branch: str = DEFAULT_BRANCH,
        cascade: Cascade = "none",
        token: Tokens = None,
        wait: Wait | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
        idempotency_key: str | None = None,
    ) -> Deletion:
        """Delete a document. Its history stays readable.

        With `cascade="edges"`, the edges from it and to it are removed before, as reads with
        `token` show them; with `"children"`, the children go too that have no other parent.
        """
        parameters: dict[str, str | int | Sequence[str] | None]
        parameters = {"branch": branch, "wait": wait, "timeout_ms": timeout_ms}
        if cascade != "none":
            parameters |= {"cascade": cascade, "token": joined(token)}
        return await self._connection.call(
            Deletion,
            "DELETE",
            f"/v1/documents/{segment(document_id)}",
            parameters=parameters,
            key=idempotency_key or self._minter.mint(),
        )

    async def erase(
        self,
        document_id: str,
        *,
        wait: Wait | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Job:
        """Remove every trace of a document, on all its branches; its id is never used again."""
        return await self._connection.call(
            Job,
            "POST",
            f"/v1/documents/{segment(document_id)}/erase",
            parameters={"wait": wait, "timeout_ms": timeout_ms},
            key=self._minter.mint(),
        )
