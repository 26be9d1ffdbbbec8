"""The call that shows one document, by its id or by its slug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Document
from docreactor.gateway.attendance import attended
from docreactor.gateway.claims import Claims
from docreactor.gateway.demand import Demand
from docreactor.gateway.facts import add_facts
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import PARTITIONS, Call, Gathered, Reach
from docreactor.gateway.read_queries import DocumentQuery
from docreactor.gateway.reply import Reply, refuse
from docreactor.gateway.shown import At, Excerpt, shown_at, shown_now
from docreactor.pipeline.errors import (
    AmbiguousIdentifierError,
    DocumentNotFoundError,
    InvalidInputError,
)
from docreactor.pipeline.ids import check_id
from docreactor.tables.criteria import Life


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a document is asked for."""

    excerpt: Excerpt
    at: At | None
    demand: Demand

    @classmethod
    def of(cls, query: DocumentQuery, log_id: str) -> Asked:
        """The query, checked."""
        excerpt = Excerpt.of(query, Life.EITHER if query.include_deleted else Life.LIVING)
        if query.at is not None and query.scopes:
            raise InvalidInputError("scopes", "cannot be asked for together with at")
        at = None if query.at is None else At.parse(query.at)
        return cls(excerpt, at, Demand.of(query, log_id))


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
        """One document by its id, else by its slug; `by` says which of the two it is.

        Without `scopes` it shows all that have operations or an initial state, and `global`; with
        `header_only` none. With `at=<scope>:<index>` it shows the state that the scope had right
        after that operation. With `include_deleted` a deleted document is shown as it was last.
        With `token` it shows at least that write, or 504. AmbiguousIdentifier when the text is the
        id of one document and the slug of another. A slug with `/` is looked up by `?slugs=`.
        """
        asked = Asked.of(query, self._node.log_id)
        if PARTITIONS in request.headers:
            return await self._by_id(request, identifier, asked)
        reply: Response | None = None
        if query.by == "id":
            return await self._by_id(request, check_id(identifier, field="id"), asked)
        if query.by is None and _is_id(identifier):
            reply = await self._by_id(request, identifier, asked)
            if reply.status_code not in (200, 404, 410):
                return reply
        is_known = reply is not None and reply.status_code != 404
        claimant, told = await self._claimant(request, identifier, asked, partial=is_known)
        if is_known and claimant not in (None, identifier):
            raise AmbiguousIdentifierError(identifier, [identifier, str(claimant)])
        if not is_known and claimant is not None:
            return await self._by_id(request, claimant, asked)
        if reply is None:
            error = DocumentNotFoundError(identifier, asked.excerpt.branch)
            return refuse(error, self._reach.headers(told.position, told.answered_by))
        return reply

    async def _by_id(self, request: Request, document_id: str, asked: Asked) -> Response:
        add_facts(request.scope, document=document_id)

        async def read(live: LivePartition) -> Response:
            if asked.at is None:
                await asked.demand.viewed(self._reach, request, live)
                return Reply(shown_now(live, document_id, asked.excerpt))
            await asked.demand.stored(self._reach, request, live)
            item = await attended(request, shown_at(live, document_id, asked.excerpt, asked.at))
            return Reply(item)

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
    ) -> tuple[str | None, Gathered]:
        """The newest claimant of a slug among all partitions, and who said so.

        With `partial` those that cannot answer are left out: the document asked for by its id must
        not become unreadable because another's owner restores.
        """
        claims = Claims(asked.excerpt.branch, (slug,), limit=1)
        gathered = await claims.gather(self._reach, request, asked.demand, partial=partial)
        slugs, _ = claims.joined(gathered)
        return (slugs[0]["document_id"] if slugs else None), gathered


def _is_id(identifier: str) -> bool:
    try:
        check_id(identifier, field="id")
    except InvalidInputError:
        return False
    return True
