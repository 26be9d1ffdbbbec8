"""The calls that change what a document has to do with others."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Job
from docreactor.gateway.body import has_body, parse_body, read_body
from docreactor.gateway.draft import Drafter, Edges
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.mutations import Asked, Mutations
from docreactor.gateway.openapi import body_of, replies
from docreactor.gateway.reach import Reach
from docreactor.gateway.requests import (
    ChildrenRequest,
    RelateRequest,
    UnrelateQuery,
    UnrelateRequest,
    WaitQuery,
)
from docreactor.pipeline.action import ADD_RELATIONSHIP, REMOVE_RELATIONSHIP, UPDATE_RELATIONSHIP
from docreactor.pipeline.edge import CHILD
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.job import Mutation


class RelationshipRoutes:
    """POST, PATCH and DELETE …/relationships, POST and DELETE …/children: one job each."""

    def __init__(self, reach: Reach) -> None:
        self._node = reach.node
        self._mutations = Mutations(reach)
        self._drafter = Drafter(reach.node)

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        edges, children = "relationships", "children"
        for place, method, call, body in (
            (edges, "POST", self.add_relationship, body_of(RelateRequest)),
            (edges, "PATCH", self.update_relationship, body_of(RelateRequest)),
            (edges, "DELETE", self.remove_relationship, body_of(UnrelateRequest, required=False)),
            (children, "POST", self.add_children, body_of(ChildrenRequest)),
            (children, "DELETE", self.remove_children, body_of(ChildrenRequest)),
        ):
            app.add_api_route(
                f"/v1/documents/{{document_id}}/{place}",
                call,
                methods=[method],
                status_code=202,
                response_model=None,
                tags=["relationships"],
                responses=replies({200: Job, 202: Job}),
                openapi_extra=body,
            )

    async def add_relationship(
        self, request: Request, document_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Add an edge from the document to another, which need not exist."""
        return await self._described(request, document_id, query, ADD_RELATIONSHIP)

    async def update_relationship(
        self, request: Request, document_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Replace what is known about an edge: what is left out is not known any more."""
        return await self._described(request, document_id, query, UPDATE_RELATIONSHIP)

    async def remove_relationship(
        self, request: Request, document_id: str, query: Annotated[UnrelateQuery, Query()]
    ) -> Response:
        """Remove an edge, named in the body or by `?target_id&type`."""
        content = await read_body(request, self._node.settings) if has_body(request) else None
        if content is None:
            if query.target_id is None or query.type is None:
                raise InvalidInputError("target_id", "give target_id and type, here or in a body")
            branch = query.branch or DEFAULT_BRANCH
            asked = UnrelateRequest(target_id=query.target_id, type=query.type, branch=branch)
        elif any((query.target_id, query.type, query.branch)):
            raise InvalidInputError("target_id", "give the edge in the body or here, not in both")
        else:
            asked = parse_body(content, UnrelateRequest)
        edges = Edges(document_id, asked.type, {"target_id": asked.target_id}, asked.branch)
        return await self._take(request, content, query, REMOVE_RELATIONSHIP, edges)

    async def add_children(
        self, request: Request, document_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Make documents children of this one: an edge of type `child` to each."""
        return await self._children(request, document_id, query, ADD_RELATIONSHIP)

    async def remove_children(
        self, request: Request, document_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Make documents no children of this one; those that are none stay so."""
        return await self._children(request, document_id, query, REMOVE_RELATIONSHIP)

    async def _described(
        self, request: Request, document_id: str, query: WaitQuery, action_type: str
    ) -> Response:
        content = await read_body(request, self._node.settings)
        asked = parse_body(content, RelateRequest)
        known = {"metadata": asked.metadata, "weight": asked.weight}
        described = {name: value for name, value in known.items() if value is not None}
        targets = {"target_id": asked.target_id}
        edges = Edges(document_id, asked.type, targets, asked.branch, described)
        return await self._take(request, content, query, action_type, edges)

    async def _children(
        self, request: Request, document_id: str, query: WaitQuery, action_type: str
    ) -> Response:
        content = await read_body(request, self._node.settings)
        asked = parse_body(content, ChildrenRequest)
        targets = {f"ids.{place}": child for place, child in enumerate(asked.ids)}
        edges = Edges(document_id, CHILD, targets, asked.branch)
        return await self._take(request, content, query, action_type, edges)

    async def _take(
        self,
        request: Request,
        content: bytes | None,
        query: WaitQuery,
        action_type: str,
        edges: Edges,
    ) -> Response:
        check_id(edges.source_id, field="id")

        def draft(ids: ActionIds, _: LivePartition | None) -> Mutation:
            return self._drafter.relate(action_type, edges, ids)

        return await self._mutations.take(request, Asked(edges.source_id, content, draft, query))
