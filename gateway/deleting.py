"""How a document is deleted with what depends on it: several jobs, enqueued together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition, Until
from docreactor.gateway.attendance import attended
from docreactor.gateway.cascade import Cascade, CascadePlanner
from docreactor.gateway.demand import merged
from docreactor.gateway.draft import Drafter
from docreactor.gateway.facts import add_facts
from docreactor.gateway.idempotency import HEADER, ActionIds, check_key
from docreactor.gateway.known import known_document
from docreactor.gateway.mutations import Mutations, appended_job
from docreactor.gateway.patience import now_s
from docreactor.gateway.reach import Call, Reach
from docreactor.gateway.reply import ProblemReply, Reply
from docreactor.gateway.requests import DeleteQuery
from docreactor.gateway.shown import missing
from docreactor.gateway.together import together
from docreactor.gateway.turns import Turns
from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.errors import DocumentDeletedError, JobNotReadyError
from docreactor.pipeline.ids import check_name
from docreactor.pipeline.job import JobResult, JobStatus, Mutation
from docreactor.pipeline.keys import Stream

_EDGES_PER_JOB = 500
_ASKED_AT_ONCE = 32


class Deleting:
    """Takes deletions in that take edges or children with them."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node
        self._mutations = Mutations(reach)
        self._drafter = Drafter(reach.node)

    async def take(self, request: Request, document_id: str, query: DeleteQuery) -> Response:
        """202 with the document's own job, or with `wait` what became of it and of the others.

        It is planned where the document's partition runs, which alone knows whether a request with
        this Idempotency-Key has deleted it: then nothing is taken with it once more.
        """
        check_name(query.branch, field="branch")
        key = check_key(request.headers.get(HEADER))
        partition = self._node.partition_of(document_id)
        add_facts(request.scope, document=document_id, partition=partition)
        ends_at = now_s() + query.timeout_ms / 1_000
        live = self._node.local(partition)
        if live is None:
            owner = self._reach.elsewhere(request, partition)
            if owner is None:
                raise self._node.restoring(partition)
            call = Call.like(request, patience_s=query.timeout_ms / 1_000)
            call = call.keyed(key or self._node.mint())
            return await self._reach.forward(request, owner, partition, call)
        jobs = await attended(request, self._drafted(live, document_id, query, key))
        add_facts(request.scope, jobs=len(jobs))
        offsets = await self._node.submit_together(jobs)
        *others, own = map(appended_job, jobs, offsets)
        if query.wait is None:
            return Reply(_shown(own, others), status_code=202, headers=self._reach.headers())
        waiting = self._ended(request, own, others, query.wait, ends_at)
        return self._reply(*await attended(request, waiting))

    async def _drafted(
        self, live: LivePartition, document_id: str, query: DeleteQuery, key: str | None
    ) -> list[Mutation]:
        """The jobs in the order in which they are to be enqueued, the document's own last."""
        cascade = await self._cascade(live, document_id, query, key)
        turns = Turns()
        at_once = min(_EDGES_PER_JOB, self._node.settings.job_actions_max)
        jobs: list[Mutation] = []
        cutting: dict[str, dict[str, None]] = {}
        for source_id, cuts in cascade.edges.items():
            ids = ActionIds(key, source_id, self._node.mint)
            for first in range(0, len(cuts), at_once):
                part = cuts[first : first + at_once]
                job = self._drafter.unrelate(source_id, part, query.branch, ids)
                jobs.append(job)
                for cut in part:
                    cutting.setdefault(cut.target_id, {})[job.id] = None
                await turns.give()
        deletions: dict[str, str] = {}
        for one, before in cascade.documents.items():
            ids = ActionIds(key, one, self._node.mint)
            job = self._drafter.delete(one, query.branch, ids)
            waits_for = (*cutting.get(one, ()), *(deletions[child] for child in before))
            jobs.append(replace(job, depends_on=waits_for))
            deletions[one] = job.id
            await turns.give()
        return jobs

    async def _cascade(
        self, live: LivePartition, document_id: str, query: DeleteQuery, key: str | None
    ) -> Cascade:
        """What goes, as the graph shows it at the call's token.

        Nothing beside the document when this very request has deleted it. DocumentNotFound,
        DocumentDeleted or DocumentErased when there is nothing to delete: before any edge goes.
        """
        stream = Stream(document_id, DOCUMENT_SCOPE, query.branch)
        own_id = ActionIds(key, document_id, self._node.mint).at("delete")
        if live.operations.index_of(stream, own_id) is not None:
            return Cascade.alone(document_id)
        if live.operations.head(stream) is None:
            raise missing(live, document_id, query.branch)
        known = known_document(live, document_id, query.branch)
        if known is not None and known.is_deleted:
            raise DocumentDeletedError(document_id, known.deleted_at)
        self._reach.confirm(live)
        graph = self._node.graph
        await graph.wait(merged(query.token, self._node.log_id), query.timeout_ms / 1_000)
        planner = CascadePlanner(
            graph.table, query.branch, count_max=self._node.settings.cascade_count_max
        )
        if query.cascade == "edges":
            return await planner.edges(document_id)
        return await planner.children(document_id)

    async def _ended(
        self,
        request: Request,
        own: JobResult,
        others: Sequence[JobResult],
        until: Until,
        ends_at: float,
    ) -> tuple[JobResult, Sequence[JobResult]]:
        """What became of all of them, or JobNotReady with the document's own job."""
        known = own
        at_once = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def one(job: JobResult) -> JobResult:
            async with at_once:
                return await self._mutations.await_job(request, job, until, ends_at)

        try:
            # It comes last: when it has ended, every other one has.
            known = await self._mutations.await_job(request, own, until, ends_at)
            ended = await together([one(job) for job in others]) if others else []
        except JobNotReadyError as error:
            known = error.job if error.job.id == own.id else known
            late = JobNotReadyError(known, f"{until.upper()}_READY")
            late.facts["others"] = [job.id for job in others]
            raise late from error
        return known, ended

    def _reply(self, own: JobResult, others: Sequence[JobResult]) -> Response:
        """What became of the document's own job, with a token that covers the others too."""
        tokens = [job.token for job in (own, *others) if job.token]
        failed = [one for one in others if one.status is JobStatus.FAILED]
        failures = [one.model_dump(mode="json") for one in failed]
        job = _shown(own, others) | {"failures": failures}
        if tokens:
            job["token"] = merged(tokens, self._node.log_id).token
        headers = self._reach.headers()
        if own.status is JobStatus.FAILED and own.error is not None:
            status = int(own.error["status"])
            return ProblemReply({**own.error, "job": job}, status_code=status, headers=headers)
        return Reply(job, headers=headers)


def _shown(own: JobResult, others: Sequence[JobResult]) -> dict[str, Any]:
    return own.model_dump(mode="json") | {"jobs": [job.id for job in others]}
