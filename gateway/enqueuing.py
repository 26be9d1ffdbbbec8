"""The calls of the Python client about jobs that wait for others: batches and cancellations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from docreactor.gateway.answers import Batch, Job
from docreactor.gateway.changes import Wait, segment
from docreactor.gateway.connection import Connection
from docreactor.gateway.requests import TIMEOUT_DEFAULT_MS, BatchedJob
from docreactor.pipeline.ids import IdMinter


class Enqueuing:
    """What puts several jobs into an order, and takes one of them back."""

    _connection: Connection
    _minter: IdMinter

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
        wait: Literal["none", "write"] | None = None,
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


def _job(job: BatchedJob | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(job, BatchedJob):
        return job.model_dump(mode="json", exclude_unset=True)
    return dict(job)
