"""The calls that compare what is stored with everything that was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.acceptance import accept, is_acceptable
from docreactor.agents.live import LivePartition
from docreactor.agents.node import Node
from docreactor.gateway.answers import Verified
from docreactor.gateway.attendance import attended
from docreactor.gateway.claims import Claims
from docreactor.gateway.demand import Demand
from docreactor.gateway.facts import add_facts
from docreactor.gateway.openapi import replies
from docreactor.gateway.patience import now_s
from docreactor.gateway.reach import PARTITIONS, Call, Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import TokenQuery, VerifyPageQuery, VerifyQuery
from docreactor.gateway.shown import missing
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.finding import Fault, Finding
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.settings import Settings
from docreactor.tables.criteria import id_cursor, read_id
from docreactor.tables.slugs import Claim
from docreactor.tables.stream_check import Checked
from docreactor.tables.verification import Verdict, verify

PAGE_S = 1.0
"""So long a page may take, but for its last document."""

_VIEW_WAIT_S = 10.0
_SLUGS_AT_ONCE = 20
_CLAIMS = "claims"


class IntegrityRoutes:
    """POST /v1/documents/{id}/verify and /v1/verify."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        for path, call in (
            ("/v1/documents/{document_id}/verify", self.verify_document),
            ("/v1/verify", self.verify_partition),
        ):
            app.add_api_route(
                path,
                call,
                methods=["POST"],
                response_model=None,
                tags=["integrity"],
                responses=replies({200: Verified}),
            )

    async def verify_document(
        self, request: Request, document_id: str, query: Annotated[VerifyQuery, Query()]
    ) -> Response:
        """Compare a document's operations on all branches with each other and with what they gave.

        Indexes, the chain of `previous`, ids, skips, order, every hash by replay, keyframes, the
        table's rows, and whether its slug answers it. What is wrong is told in `findings`, with
        200. Nothing is changed without `accept`: with it, where nothing is wrong but that the model
        gives other states than were recorded, those are taken, and the document is shown again.
        """
        add_facts(request.scope, document=check_id(document_id, field="id"))

        async def read(live: LivePartition) -> Response:
            await live.wait_view(live.operations_position(), _VIEW_WAIT_S)
            verdict = await attended(request, self._verdict(live, document_id, query.accept))
            if verdict is None:
                raise missing(live, document_id, DEFAULT_BRANCH)
            return Reply(_told([verdict], None))

        partition = self._node.partition_of(document_id)
        return await self._asked(request, partition, read, patience_s=query.timeout_ms / 1_000)

    async def verify_partition(
        self, request: Request, query: Annotated[VerifyPageQuery, Query()]
    ) -> Response:
        """As for one document, for those of one partition, page by page.

        A page ends after a second, or after `limit` documents.
        """
        check_partition(query.partition, self._node)
        after = read_id(query.cursor)

        async def read(live: LivePartition) -> Response:
            await live.wait_view(live.operations_position(), _VIEW_WAIT_S)
            return Reply(await attended(request, self._page(live, after, query)))

        patience_s = query.timeout_ms / 1_000
        return await self._asked(request, query.partition, read, patience_s=patience_s)

    async def _verdict(
        self, live: LivePartition, document_id: str, accepting: bool
    ) -> Verdict | None:
        """What is wrong with a document, after what may be accepted of it was."""
        tables = tables_of(live, self._node.settings)
        verdict = await verify(tables, document_id)
        if verdict is None or not accepting or not is_acceptable(verdict):
            return verdict
        write = live.tables.write
        await accept(write, self._node.registry, live.chores, document_id, self._node.now_us)
        await live.wait_view(live.operations_position(), _VIEW_WAIT_S)
        after = await verify(tables, document_id)
        return None if after is None else replace(after, is_accepted=True)

    async def _page(
        self, live: LivePartition, after: str, query: VerifyPageQuery
    ) -> dict[str, Any]:
        """The next documents, as many as fit into a second."""
        until, verdicts, last = now_s() + PAGE_S, list[Verdict](), after
        while len(verdicts) < query.limit and now_s() < until:
            found = live.operations.documents_after(last, 1)
            if not found:
                return _told(verdicts, None)
            last = found[0]
            verdict = await self._verdict(live, last, query.accept)
            if verdict is not None:
                verdicts.append(verdict)
        return _told(verdicts, id_cursor(last))

    async def _asked(
        self, request: Request, partition: int, read: Any, *, patience_s: float
    ) -> Response:
        """The owner's answer; whoever was asked first adds what only all partitions know."""
        call = Call.like(request, patience_s=patience_s)
        reply = await self._reach.one(
            request, partition, read, position=LivePartition.operations_position, call=call
        )
        if PARTITIONS in request.headers or reply.status_code != 200:
            return reply
        body: dict[str, Any] = orjson.loads(bytes(reply.body))
        claims = [Claim(*claim) for claim in body.pop(_CLAIMS)]
        body["findings"] += [one.json for one in await self._behind(request, claims)]
        headers = {
            name: value for name, value in reply.headers.items() if name.startswith("x-docreactor")
        }
        return Reply(body, headers=headers)

    async def _behind(self, request: Request, claims: Sequence[Claim]) -> list[Finding]:
        """Claims that stand behind another document's."""
        findings: list[Finding] = []
        for branch in sorted({claim.branch for claim in claims}):
            wanted = {claim.slug: claim for claim in claims if claim.branch == branch}
            slugs = sorted(wanted)
            for at in range(0, len(slugs), _SLUGS_AT_ONCE):
                answered = await self._answering(request, slugs[at : at + _SLUGS_AT_ONCE], branch)
                findings += _contested(
                    [claim for claim in claims if claim.branch == branch], answered
                )
        return findings

    async def _answering(
        self, request: Request, slugs: Sequence[str], branch: str
    ) -> dict[str, str]:
        """Which document each slug stands for, among all partitions."""
        claims = Claims(branch, slugs, limit=len(slugs))
        demand = Demand.of(TokenQuery(), self._node.log_id)
        found, _ = claims.joined(await claims.gather(self._reach, request, demand))
        return {one["slug"]: one["document_id"] for one in found}


def check_partition(partition: int, node: Node) -> None:
    """InvalidInput for one that the deployment does not have."""
    if partition >= node.partition_count:
        raise InvalidInputError("partition", f"must be below {node.partition_count}")


def _contested(claims: Iterable[Claim], answered: dict[str, str]) -> list[Finding]:
    return [
        Finding(
            Fault.SLUG_BEHIND,
            claim.document_id,
            None,
            claim.branch,
            None,
            f"slug {claim.slug} answers document {answered[claim.slug]}",
        )
        for claim in claims
        if answered.get(claim.slug, claim.document_id) != claim.document_id
    ]


def tables_of(live: LivePartition, settings: Settings) -> Checked:
    """A partition's tables, to be compared."""
    keyframes = live.tables.write.keyframes
    return Checked(live.replay, settings, live.operations, keyframes, live.documents)


def _told(verdicts: Sequence[Verdict], next_cursor: str | None) -> dict[str, Any]:
    return {
        "documents": len(verdicts),
        "operations": sum(verdict.operations for verdict in verdicts),
        "accepted": sum(verdict.is_accepted for verdict in verdicts),
        "findings": [finding.json for verdict in verdicts for finding in verdict.findings],
        "next_cursor": next_cursor,
        _CLAIMS: [list(claim) for verdict in verdicts for claim in verdict.claims],
    }
