"""The calls about a job: what became of it, and its cancellation."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Job
from docreactor.gateway.attendance import attended
from docreactor.gateway.facts import add_facts
from docreactor.gateway.openapi import replies
from docreactor.gateway.patience import while_serving
from docreactor.gateway.reach import Call, Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import WaitQuery
from docreactor.pipeline.errors import (
    JobCancelledError,
    JobNotCancellableError,
    JobNotFoundError,
)
from docreactor.pipeline.job import Cancellation, JobResult
from docreactor.pipeline.keys import job_partition
from docreactor.pipeline.problem import problem_name

_LOOK_S = 2.0


class JobRoutes:
    """GET /v1/jobs/{id}, POST /v1/jobs/{id}/cancel."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        app.add_api_route(
            "/v1/jobs/{job_id}",
            self.get_job,
            methods=["GET"],
            response_model=None,
            tags=["jobs"],
            responses=replies({200: Job}),
        )
        app.add_api_route(
            "/v1/jobs/{job_id}/cancel",
            self.cancel_job,
            methods=["POST"],
            status_code=202,
            response_model=None,
            tags=["jobs"],
            responses=replies({200: Job, 202: Job}),
        )

    async def get_job(
        self, request: Request, job_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """What became of a job, also of a FAILED one.

        With `wait` the reply comes when the job got there or failed, or 504 with the job.
        """
        add_facts(request.scope, job=job_id)
        patience_s = query.timeout_ms / 1_000 if query.wait else _LOOK_S

        async def read(live: LivePartition) -> Response:
            result = await attended(request, self._result(live, job_id, query))
            return Reply(result.model_dump(mode="json"))

        return await self._reach.one(
            request,
            self._partition(job_id),
            read,
            position=LivePartition.operations_position,
            call=Call.like(request, patience_s=patience_s),
        )

    async def cancel_job(
        self, request: Request, job_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Cancel a deferred job: it fails with JobCancelled, and those that wait for it go on.

        Answers 202 while that is on its way, or with `wait` 200 with the cancelled job. A job
        that is not deferred, or ran before the cancellation came, is JobNotCancellable.
        """
        add_facts(request.scope, job=job_id)
        patience_s = query.timeout_ms / 1_000 if query.wait else _LOOK_S

        async def cancel(live: LivePartition) -> Response:
            return await attended(request, self._cancel(live, job_id, query))

        return await self._reach.one(
            request,
            self._partition(job_id),
            cancel,
            position=LivePartition.operations_position,
            call=Call.like(request, patience_s=patience_s),
        )

    async def _cancel(self, live: LivePartition, job_id: str, query: WaitQuery) -> Response:
        known = await live.wait_job(job_id, offset=None, until=None, timeout_s=_LOOK_S)
        deferred, node = live.deferred.get(job_id), self._reach.node
        if deferred is None:
            raise JobNotCancellableError(job_id, known.status)
        cancellation = Cancellation(
            id=f"{node.mint()}-{live.number}", document_id=deferred.job.document_id, job_id=job_id
        )
        await node.submit(cancellation)
        if query.wait is None:
            return Reply(known.model_dump(mode="json"), status_code=202)
        result = await self._result(live, job_id, query)
        if result.error is None or problem_name(result.error) != JobCancelledError.name():
            raise JobNotCancellableError(job_id, result.status)
        return Reply(result.model_dump(mode="json"))

    async def _result(self, live: LivePartition, job_id: str, query: WaitQuery) -> JobResult:
        if query.wait is None:
            return await live.wait_job(job_id, offset=None, until=None, timeout_s=_LOOK_S)

        async def wait(slice_s: float) -> JobResult:
            return await live.wait_job(job_id, offset=None, until=query.wait, timeout_s=slice_s)

        return await while_serving(self._reach, live, wait, timeout_s=query.timeout_ms / 1_000)

    def _partition(self, job_id: str) -> int:
        """A job id ends in its partition, so that anyone knows whom to ask."""
        try:
            partition = job_partition(job_id)
        except ValueError:
            raise JobNotFoundError(job_id) from None
        if not 0 <= partition < self._reach.node.partition_count:
            raise JobNotFoundError(job_id)
        return partition
