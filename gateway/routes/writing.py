"""The calls that change documents: create, submit."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import orjson
from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Job
from docreactor.gateway.body import parse_body, read_body
from docreactor.gateway.draft import Drafter, Edges
from docreactor.gateway.idempotency import HEADER, ActionIds, check_key, document_id_for
from docreactor.gateway.known import check_absent, known_document
from docreactor.gateway.mutations import Asked, Mutations
from docreactor.gateway.openapi import body_of, replies
from docreactor.gateway.reach import Reach
from docreactor.gateway.requests import CreateRequest, SubmitRequest, WaitQuery
from docreactor.pipeline.action import ADD_RELATIONSHIP
from docreactor.pipeline.edge import CHILD
from docreactor.pipeline.ids import check_id, check_name
from docreactor.pipeline.job import Mutation

_REPLIES = replies({200: Job, 202: Job})


class WriteRoutes:
    """POST /v1/documents and /v1/documents/{id}/actions."""

    def __init__(self, reach: Reach) -> None:
        self._node = reach.node
        self._mutations = Mutations(reach)
        self._drafter = Drafter(reach.node)

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        for path, call, body in (
            ("/v1/documents", self.create_document, CreateRequest),
            ("/v1/documents/{document_id}/actions", self.submit_actions, SubmitRequest),
        ):
            app.add_api_route(
                path,
                call,
                methods=["POST"],
                status_code=202,
                response_model=None,
                tags=["documents"],
                responses=_REPLIES,
                openapi_extra=body_of(body),
            )

    async def create_document(
        self, request: Request, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Create a document: CREATE_DOCUMENT and UPGRADE_DOCUMENT, one job.

        With `parent` the edge from there comes first, in a job of its own: where that fails, it
        is what is answered, and nothing is created. The token of the creation covers the edge.
        """
        content = await read_body(request, self._node.settings)
        asked = parse_body(content, CreateRequest)
        if asked.id is None:
            key = check_key(request.headers.get(HEADER))
            document_id = document_id_for(key, self._node.mint)
            # Whoever this is forwarded to must create the very same document.
            given = asked.model_dump(exclude_unset=True)
            content = orjson.dumps(given | {"id": document_id})
        else:
            document_id = check_id(asked.id, field="id")

        def draft(ids: ActionIds, live: LivePartition | None) -> Mutation:
            job = self._drafter.create(asked, document_id, ids)
            if asked.parent is not None and live is not None:
                check_absent(live, job)
            return job

        first = None
        if asked.parent is not None:
            parent = check_id(asked.parent, field="parent")
            edge = Edges(parent, CHILD, {"parent": document_id}, asked.branch)
            first = partial(self._drafter.relate, ADD_RELATIONSHIP, edge)
        return await self._mutations.take(request, Asked(document_id, content, draft, query, first))

    async def submit_actions(
        self, request: Request, document_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Submit actions of one scope, `global` by default: all of them or none."""
        content = await read_body(request, self._node.settings)
        check_id(document_id, field="id")
        asked = parse_body(content, SubmitRequest)
        check_name(asked.branch, field="branch")

        def draft(ids: ActionIds, live: LivePartition | None) -> Mutation:
            known = None if live is None else known_document(live, document_id, asked.branch)
            return self._drafter.submit(asked, document_id, ids, known)

        return await self._mutations.take(request, Asked(document_id, content, draft, query))
