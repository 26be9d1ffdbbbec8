"""The call that shows one document, by its id or by its slug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Document
from docreactor.gateway.attendance import attended
from docreactor.gateway.demand import Demand
from docreactor.gateway.facts import add_facts
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import PARTITIONS, Call, Part, Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import DocumentQuery
from docreactor.gateway.routes.finding import claim_of
from docreactor.gateway.shown import At, shown_at, shown_now
from docreactor.pipeline.errors import (
    AmbiguousIdentifierError,
    DocumentNotFoundError,
    InvalidInputError,
)
from docreactor.pipeline.ids import check_id, check_name


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a document is asked for."""

    branch: str
    scopes: tuple[str, ...] | None
    at: At | None
    demand: Demand

    @classmethod
    def of(cls, query: DocumentQuery, log_id: str) -> Asked:
        """The query, checked."""
        check_name(query.branch, field="branch")
        for scope in query.scopes:
            check_name(scope, field="scopes")
        if query.at is not None and query.scopes:
            raise InvalidInputError("scopes", "cannot be asked for together with at")
        at = None if query.at is None else At.parse(query.at)
        demand = Demand.of(query, log_id)
        return cls(query.branch, tuple(query.scopes) or None, at, demand)


class DocumentRoutes:
    """GET /v1/documents/{id or slug}."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents/{identifier}",
            self.get_document,
            methods=["GET"],
            response_model=None,
            tags=["documents"],
            responses=replies({200: Document}),
        )

    async def get_document(
        self, request: Request, identifier: str, query: Annotated[DocumentQuery, Query()]
    ) -> Response:
        """One document by its id, else by its slug.

        Without `scopes` it shows all that have operations or an initial state, and `global`.
        With `at=<scope>:<index>` it shows the state that the scope had right after that operation.
        With `token` it shows at least that write, or 504. AmbiguousIdentifier when the text is the
        id of one document and the slug of another. A slug with `/` is looked up by `?slugs=`.
        """
        asked = Asked.of(query, self._node.log_id)
        reply: Response | None = None
        if _is_id(identifier):
            reply = await self._by_id(request, identifier, asked)
            if PARTITIONS in request.headers or reply.status_code not in (200, 404):
                return reply
        found = reply is not None and reply.status_code == 200
        claimant = await self._claimant(request, identifier, asked, partial=found)
        if found and claimant not in (None, identifier):
            raise AmbiguousIdentifierError(identifier, [identifier, str(claimant)])
        if not found and claimant is not None:
            return await self._by_id(request, claimant, asked)
        if reply is None:
            raise DocumentNotFoundError(identifier, asked.branch)
        return reply

    async def _by_id(self, request: Request, document_id: str, asked: Asked) -> Response:
        add_facts(request.scope, document=document_id)

        async def read(live: LivePartition) -> Response:
            if asked.at is not None:
                await asked.demand.stored(self._reach, request, live)
                at = shown_at(live, document_id, asked.branch, asked.at)
                return Reply(await attended(request, at))
            await asked.demand.viewed(self._reach, request, live)
            return Reply(shown_now(live, document_id, asked.branch, asked.scopes))

        call = Call.like(request, patience_s=asked.demand.patience_s)
        shown_position = LivePartition.view_position
        if asked.at is not None:
            shown_position = LivePartition.operations_position
        return await self._reach.one(
            request,
            self._node.partition_of(document_id),
            read,
            position=shown_position,
            call=call.to(f"/v1/documents/{quote(document_id, safe='')}"),
        )

    async def _claimant(
        self, request: Request, slug: str, asked: Asked, *, partial: bool
    ) -> str | None:
        """The newest claimant of a slug among all partitions.

        With `partial` those that cannot answer are left out: the document asked for by its id must
        not become unreadable because another's owner restores.
        """

        async def read(live: LivePartition) -> Part:
            await asked.demand.viewed(self._reach, request, live)
            claims = live.documents.slugs.claims(slug, asked.branch)[:1]
            items = [
                {"header": {"created_at": claim.claimed_at, "id": claim.document_id}}
                for claim in claims
            ]
            return Part(items, False, live.view_position())

        query = [("slugs", slug), ("branch", asked.branch)]
        if asked.demand.wanted.next_offsets:
            query.append(("token", asked.demand.wanted.token))
            query.append(("timeout_ms", str(int(asked.demand.timeout_s * 1_000))))
        call = Call.like(request, patience_s=asked.demand.patience_s)
        gathered = await self._reach.every(
            request,
            range(self._node.partition_count),
            read,
            call=call.to("/v1/documents", urlencode(query)),
            partial=partial,
        )
        newest = max(gathered.items, key=claim_of, default=None)
        return None if newest is None else str(newest["header"]["id"])


def _is_id(identifier: str) -> bool:
    try:
        check_id(identifier, field="id")
    except InvalidInputError:
        return False
    return True
