"""The call that takes several jobs at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import Until
from docreactor.gateway.answers import Batch
from docreactor.gateway.attendance import attended
from docreactor.gateway.batch import BatchDrafter
from docreactor.gateway.body import parse_body, read_body
from docreactor.gateway.facts import add_facts
from docreactor.gateway.idempotency import HEADER, check_key
from docreactor.gateway.known import known_document
from docreactor.gateway.mutations import Mutations, appended_job
from docreactor.gateway.openapi import body_of, replies
from docreactor.gateway.patience import now_s
from docreactor.gateway.reach import Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import BatchRequest, WaitQuery
from docreactor.gateway.together import together
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import JobNotReadyError
from docreactor.pipeline.job import JobResult, Load, Mutation


class BatchRoutes:
    """POST /v1/batches."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node
        self._mutations = Mutations(reach)
        self._drafter = BatchDrafter(reach.node, self._known)

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/batches",
            self.submit_batch,
            methods=["POST"],
            status_code=202,
            response_model=None,
            tags=["jobs"],
            responses=replies({200: Batch, 202: Batch}),
            openapi_extra=body_of(BatchRequest),
        )

    async def submit_batch(
        self, request: Request, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Submit jobs that wait for each other. They are enqueued together or not at all.

        A batch is an order and no transaction: each job ends for itself, and one that depends on
        a failed one runs. With `wait` the reply comes when all of them got there or failed.
        """
        content = await read_body(request, self._node.settings)
        asked = parse_body(content, BatchRequest)
        ends_at = now_s() + query.timeout_ms / 1_000
        jobs = self._drafter.draft(asked, check_key(request.headers.get(HEADER)))
        add_facts(request.scope, jobs=len(jobs))
        offsets = await self._enqueue(list(jobs.values()))
        appended = {
            key: appended_job(job, offset)
            for (key, job), offset in zip(jobs.items(), offsets, strict=True)
        }
        pending = {one.key: appended[one.key] for one in asked.jobs}
        headers = self._reach.headers()
        if query.wait is None:
            return Reply(_shown(pending), status_code=202, headers=headers)
        ended = await attended(request, self._wait(request, pending, query.wait, ends_at))
        return Reply(_shown(ended), headers=headers)

    async def _enqueue(self, jobs: list[Mutation | Load]) -> Sequence[int]:
        if len(jobs) == 1:
            return [await self._node.submit(jobs[0])]
        return await self._node.submit_together(jobs)

    async def _wait(
        self, request: Request, pending: Mapping[str, JobResult], until: Until, ends_at: float
    ) -> Mapping[str, JobResult]:
        """All of them, or JobNotReady with what is known of all of them."""
        late: list[JobNotReadyError] = []

        async def one(job: JobResult) -> JobResult:
            try:
                return await self._mutations.await_job(request, job, until, ends_at)
            except JobNotReadyError as error:
                late.append(error)
                return error.job

        results = await together([one(job) for job in pending.values()])
        known = dict(zip(pending, results, strict=True))
        if late:
            late[0].facts |= _shown(known)
            raise late[0]
        return known

    def _known(self, document_id: str, branch: str) -> Document | None:
        live = self._node.local(self._node.partition_of(document_id))
        return None if live is None else known_document(live, document_id, branch)


def _shown(jobs: Mapping[str, JobResult]) -> dict[str, dict[str, Any]]:
    return {"jobs": {key: job.model_dump(mode="json") for key, job in jobs.items()}}
