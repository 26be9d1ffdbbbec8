"""The call that deletes a document, alone or with what depends on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Deletion
from docreactor.gateway.deleting import Deleting
from docreactor.gateway.draft import Drafter
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.mutations import Asked, Mutations
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Reach
from docreactor.gateway.requests import DeleteQuery
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.job import Mutation


class DeleteRoutes:
    """DELETE /v1/documents/{id}."""

    def __init__(self, reach: Reach) -> None:
        self._mutations = Mutations(reach)
        self._deleting = Deleting(reach)
        self._drafter = Drafter(reach.node)

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents/{document_id}",
            self.delete_document,
            methods=["DELETE"],
            status_code=202,
            response_model=None,
            tags=["documents"],
            responses=replies({200: Deletion, 202: Deletion}),
        )

    async def delete_document(
        self, request: Request, document_id: str, query: Annotated[DeleteQuery, Query()]
    ) -> Response:
        """Delete a document of one branch. Its history stays readable, and so do its edges.

        With `cascade=edges` the edges from it and to it are removed first. With `cascade=children`
        the children that have no parent but those that go are deleted too, deepest first, and the
        edges to all of these removed before. What goes is decided when the call comes, as reads
        with `token` show it; edges that are written meanwhile stay. All jobs are enqueued together
        or none; the reply is the document's own, which runs last, and `jobs` names the others. With
        `wait` the reply comes when all of them got there or failed, its `token` covers them all,
        and `failures` tells of others that failed.
        """
        check_id(document_id, field="id")
        if query.cascade != "none":
            return await self._deleting.take(request, document_id, query)

        def draft(ids: ActionIds, _: LivePartition | None) -> Mutation:
            return self._drafter.delete(document_id, query.branch, ids)

        return await self._mutations.take(request, Asked(document_id, None, draft, query))
