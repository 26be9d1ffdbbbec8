"""The Python client: the calls of HTTP, typed and async."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, Unpack

import httpx

from docreactor.gateway.answers import (
    Batch,
    Job,
    Models,
    Positions,
)
from docreactor.gateway.changes import Changes, Sending, Wait, segment
from docreactor.gateway.connection import Connection
from docreactor.gateway.reading import Reading, Tokens
from docreactor.gateway.requests import (
    TIMEOUT_DEFAULT_MS,
    BatchedJob,
)
from docreactor.gateway.tending import Tending
from docreactor.pipeline.action import DOCUMENT_SCOPE, UPGRADE_DOCUMENT
from docreactor.pipeline.inputs import DEFAULT_BRANCH

DEFAULT_URL = "http://127.0.0.1:8080"
RETRY_FOR_S = 30.0


class Reactor(Changes, Reading, Tending):
    """A deployment, by the URL of any of its nodes. Use it in `async with`.

    A problem document is raised as the error of its name. What may pass (no connection, 429, 503)
    is tried again for `retry_for_s`; a mutation carries an Idempotency-Key, so it is stored once.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        retry_for_s: float = RETRY_FOR_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(Connection(url, token=token, retry_for_s=retry_for_s, transport=transport))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connection.close()

    async def upgrade(
        self,
        document_id: str,
        to_version: int,
        *,
        initial_state: Mapping[str, Any] | None = None,
        token: Tokens = None,
        **sending: Unpack[Sending],
    ) -> Job:
        """Bring a document to a later version of its model, as a read with `token` shows it.

        UpgradePreconditionFailed when it changed since: ask again.
        """
        branch = sending.get("branch", DEFAULT_BRANCH)
        now = await self.get(document_id, branch=branch, token=token)
        input = {
            "model": now.header.document_type,
            "document_id": now.header.id,
            "from_version": now.state[DOCUMENT_SCOPE]["version"],
            "to_version": to_version,
            "revision": now.header.revision,
        }
        input |= {} if initial_state is None else {"initial_state": dict(initial_state)}
        action = {"type": UPGRADE_DOCUMENT, "scope": DOCUMENT_SCOPE, "input": input}
        return await self.submit(now.header.id, action, **sending)

    async def job(self, job_id: str) -> Job:
        """What became of a job, also of a FAILED one."""
        return await self._connection.call(Job, "GET", f"/v1/jobs/{segment(job_id)}")

    async def wait(
        self, job: Job | str, until: Wait = "read", *, timeout_ms: int = TIMEOUT_DEFAULT_MS
    ) -> Job:
        """The job once it got there or FAILED; JobNotReady when the time runs out."""
        job_id = job if isinstance(job, str) else job.id
        return await self._connection.call(
            Job,
            "GET",
            f"/v1/jobs/{segment(job_id)}",
            parameters={"wait": until, "timeout_ms": timeout_ms},
        )

    async def batch(
        self,
        jobs: Sequence[BatchedJob | Mapping[str, Any]],
        *,
        wait: Wait | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Submit jobs that wait for each other, together or not at all; they end for themselves.

        Each has a `key`, a `document_id` and `actions` or `operations`, and names in `depends_on`
        the keys of those that it waits for. With `wait` all got there or FAILED.
        """
        return await self._connection.call(
            Batch,
            "POST",
            "/v1/batches",
            parameters={"wait": wait, "timeout_ms": timeout_ms},
            body={"jobs": [_job(job) for job in jobs]},
            key=idempotency_key or self._minter.mint(),
        )

    async def cancel(
        self,
        job: Job | str,
        *,
        wait: Literal["write"] | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Job:
        """Cancel a deferred job, which then fails with JobCancelled; JobNotCancellable for others.

        With `wait` it has.
        """
        job_id = job if isinstance(job, str) else job.id
        return await self._connection.call(
            Job,
            "POST",
            f"/v1/jobs/{segment(job_id)}/cancel",
            parameters={"wait": wait, "timeout_ms": timeout_ms},
        )

    async def positions(self) -> Positions:
        """How far every reducer and read model is."""
        return await self._connection.call(Positions, "GET", "/v1/positions")

    async def models(self) -> Models:
        """What the deployment can run."""
        return await self._connection.call(Models, "GET", "/v1/models")


def _job(job: BatchedJob | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(job, BatchedJob):
        return job.model_dump(mode="json", exclude_unset=True)
    return dict(job)
