"""How a job gets in: forwarded to its owner or appended here, then awaited as asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import orjson
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition, Until, pending_job
from docreactor.gateway.attendance import attended
from docreactor.gateway.facts import add_facts
from docreactor.gateway.idempotency import HEADER, ActionIds, check_key
from docreactor.gateway.patience import now_s, while_serving
from docreactor.gateway.reach import Call, Reach
from docreactor.gateway.refusal import error_of
from docreactor.gateway.reply import ProblemReply, Reply
from docreactor.gateway.requests import WaitQuery
from docreactor.pipeline.errors import JobNotReadyError, RestoringError
from docreactor.pipeline.job import Job, JobResult, JobStatus, Mutation
from docreactor.pipeline.keys import job_partition

_POLL_S = 0.05

Draft = Callable[[ActionIds, LivePartition | None], Job]
"""Makes the job; the partition is given where it serves on this node."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One job as its caller asked for it. `content` is the body as it may be passed on.

    `first` makes a job that must have succeeded before this one is appended.
    """

    document_id: str
    content: bytes | None
    draft: Draft
    waiting: WaitQuery
    first: Callable[[ActionIds], Mutation] | None = None


class Mutations:
    """Takes jobs in."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    async def take(self, request: Request, asked: Asked) -> Response:
        """202 with the job, or with `wait` what became of it.

        Sent twice with one Idempotency-Key it is stored once. That makes it safe to append it here
        when the owner that it was forwarded to does not answer.
        """
        key = check_key(request.headers.get(HEADER))
        partition = self._node.partition_of(asked.document_id)
        add_facts(request.scope, document=asked.document_id, partition=partition)
        ends_at = now_s() + asked.waiting.timeout_ms / 1_000
        owner = None
        if self._node.local(partition) is None:
            owner = self._reach.elsewhere(request, partition)
        if owner is not None:
            key = key or self._node.mint()
            waits = asked.waiting.wait is not None or asked.first is not None
            patience_s = asked.waiting.timeout_ms / 1_000 if waits else 0
            call = Call.like(request, patience_s=patience_s, content=asked.content).keyed(key)
            try:
                return await self._reach.forward(request, owner, partition, call)
            except RestoringError:
                add_facts(request.scope, unanswered=owner)
        ids = ActionIds(key, asked.document_id, self._node.mint)
        job = asked.draft(ids, self._node.local(partition))
        add_facts(request.scope, job=job.id)
        headers, until = self._reach.headers(), asked.waiting.wait
        if asked.first is not None:
            written = await self._first(request, asked.first(ids), until or "write", ends_at)
            if written.status is JobStatus.FAILED:
                return _ended(written, headers) if until else _accepted(written, headers)
            assert isinstance(job, Mutation), "only a mutation has another one before it"
            job = replace(job, covers=written.token)
        pending = appended_job(job, await self._node.submit(job))
        if until is None:
            return _accepted(pending, headers)
        work = self.await_job(request, pending, until, ends_at)
        return _ended(await attended(request, work), headers)

    async def _first(
        self, request: Request, job: Mutation, until: Until, ends_at: float
    ) -> JobResult:
        """What became of the job that comes before. JobNotReady when nobody decides it in time."""
        pending = appended_job(job, await self._node.submit(job))
        return await attended(request, self.await_job(request, pending, until, ends_at))

    async def await_job(
        self, request: Request, pending: JobResult, until: Until, ends_at: float
    ) -> JobResult:
        """The job once it got there or FAILED, or JobNotReady carrying what is known.

        Asked of whoever runs its partition, also while that changes hands.
        """
        known, partition = pending, job_partition(pending.id)
        while True:
            left_s = max(0.0, ends_at - now_s())
            live = self._node.local(partition)
            owner = self._reach.elsewhere(request, partition)
            try:
                if live is not None:
                    result = await wait_job(self._reach, live, pending, until, timeout_s=left_s)
                    self._reach.confirm(live)
                    return result
                if owner is not None:
                    return await self._wait_at(owner, partition, pending, until, left_s)
            except RestoringError:
                add_facts(request.scope, moved=True)
            except JobNotReadyError as error:
                known = error.job if error.job.document_id else known
            if now_s() >= ends_at:
                raise JobNotReadyError(known, f"{until.upper()}_READY")
            await asyncio.sleep(_POLL_S)

    async def _wait_at(
        self, owner: str, partition: int, pending: JobResult, until: Until, left_s: float
    ) -> JobResult:
        target = f"/v1/jobs/{quote(pending.id)}?wait={until}&timeout_ms={int(left_s * 1_000)}"
        token = self._node.settings.http_token
        headers = {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        answer = await self._reach.ask(
            owner, [partition], Call("GET", target, headers, patience_s=left_s)
        )
        if answer.status_code != 200:
            raise error_of(orjson.loads(answer.content))
        return JobResult.model_validate_json(answer.content)


async def wait_job(
    reach: Reach, live: LivePartition, known: JobResult, until: Until, *, timeout_s: float
) -> JobResult:
    """The job once it is where `until` says, or JobNotReady; Restoring when it moves away."""

    async def wait(slice_s: float) -> JobResult:
        return await live.wait_job(known.id, offset=known.offset, until=until, timeout_s=slice_s)

    return await while_serving(reach, live, wait, timeout_s=timeout_s)


def _accepted(job: JobResult, headers: dict[str, str]) -> Response:
    return Reply(job.model_dump(mode="json"), status_code=202, headers=headers)


def _ended(result: JobResult, headers: dict[str, str]) -> Response:
    job = result.model_dump(mode="json")
    if result.status is JobStatus.FAILED and result.error is not None:
        status = int(result.error["status"])
        return ProblemReply({**result.error, "job": job}, status_code=status, headers=headers)
    return Reply(job, headers=headers)


def appended_job(job: Job, offset: int) -> JobResult:
    """A job that was appended just now; a negative offset is an unknown one."""
    return pending_job(job.id, offset if offset >= 0 else None, job)
