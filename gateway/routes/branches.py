"""The call that lists a document's branches."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Branches
from docreactor.gateway.attendance import attended
from docreactor.gateway.demand import Demand
from docreactor.gateway.facts import add_facts
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Call, Reach
from docreactor.gateway.read_queries import BranchesQuery
from docreactor.gateway.refusal import error_of
from docreactor.gateway.reply import Reply
from docreactor.gateway.shown import missing
from docreactor.gateway.turns import Turns
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.tables.criteria import id_cursor, read_id


class BranchRoutes:
    """GET /v1/documents/{id}/branches."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents/{document_id}/branches",
            self.get_branches,
            methods=["GET"],
            response_model=None,
            tags=["documents"],
            responses=replies({200: Branches}),
        )

    async def get_branches(
        self, request: Request, document_id: str, query: Annotated[BranchesQuery, Query()]
    ) -> Response:
        """The header that a document has on each of its branches, by the branch's name.

        Those where it was deleted are among them: `is_deleted` says so.
        """
        add_facts(request.scope, document=document_id)
        check_id(document_id, field="id")
        node = self._reach.node
        demand = Demand.of(query, node.log_id)
        after = read_id(query.cursor)

        async def read(live: LivePartition) -> Response:
            await demand.viewed(self._reach, request, live)
            branches = _branches(live, document_id, after, query.limit)
            return Reply(await attended(request, branches))

        return await self._reach.one(
            request,
            node.partition_of(document_id),
            read,
            position=LivePartition.view_position,
            call=Call.like(request, patience_s=demand.patience_s),
        )


async def _branches(
    live: LivePartition, document_id: str, after: str, limit: int
) -> dict[str, Any]:
    table, turns = live.documents, Turns()
    problem = table.quarantine_of(document_id)
    if problem is not None:
        raise error_of(problem)
    names = [name for name, _ in islice(table.catalogue.of(document_id, after), limit + 1)]
    if not names and not after:
        raise missing(live, document_id, DEFAULT_BRANCH)
    headers: list[dict[str, Any]] = []
    for name in names[:limit]:
        header = table.header(document_id, name)
        if header is not None:
            headers.append(header.json)
        await turns.give()
    next_cursor = id_cursor(names[limit - 1]) if len(names) > limit else None
    return {"branches": headers, "next_cursor": next_cursor}
