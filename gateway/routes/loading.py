"""The call that takes operations from elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Job
from docreactor.gateway.body import parse_body, read_body
from docreactor.gateway.draft import Drafter
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.mutations import Asked, Mutations
from docreactor.gateway.openapi import body_of, replies
from docreactor.gateway.reach import Reach
from docreactor.gateway.requests import LoadRequest, WaitQuery
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.job import Load


class LoadRoutes:
    """POST /v1/documents/{id}/operations."""

    def __init__(self, reach: Reach) -> None:
        self._node = reach.node
        self._mutations = Mutations(reach)
        self._drafter = Drafter(reach.node)

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents/{document_id}/operations",
            self.load_operations,
            methods=["POST"],
            status_code=202,
            response_model=None,
            tags=["documents"],
            responses=replies({200: Job, 202: Job}),
            openapi_extra=body_of(LoadRequest),
        )

    async def load_operations(
        self, request: Request, document_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Load operations of one scope from elsewhere, as a history tells them.

        Each finds its place by time; those known already are dropped. What the document's state
        or model does not allow becomes an operation with `error`.
        """
        content = await read_body(request, self._node.settings)
        check_id(document_id, field="id")
        asked = parse_body(content, LoadRequest)

        def draft(_: ActionIds, __: LivePartition | None) -> Load:
            return self._drafter.load(asked, document_id)

        return await self._mutations.take(request, Asked(document_id, content, draft, query))
