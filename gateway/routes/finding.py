"""The call that finds documents: by ids, by slugs, by their parent, of a type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Documents
from docreactor.gateway.attendance import attended
from docreactor.gateway.demand import Demand
from docreactor.gateway.openapi import replies
from docreactor.gateway.page import IdsPage, Page, check_order, page_of
from docreactor.gateway.reach import TARGET_CHARACTERS_MAX, Call, Gathered, Part, Reach
from docreactor.gateway.read_queries import FindQuery
from docreactor.gateway.reply import Reply
from docreactor.gateway.shown import Excerpt
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.tables.edge_page import IdPage
from docreactor.tables.graph import GraphTable

_IDS_CHARACTERS_MAX = TARGET_CHARACTERS_MAX // 2


class FindRoutes:
    """GET /v1/documents."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents",
            self.find_documents,
            methods=["GET"],
            response_model=None,
            tags=["documents"],
            responses=replies({200: Documents}),
        )

    async def find_documents(
        self, request: Request, query: Annotated[FindQuery, Query()]
    ) -> Response:
        """A page of living documents by `ids`, else by `slugs`, else of a `parent`, else of a type.

        By ids and slugs they come in the order asked, each once; `ids` and `slugs` together are
        refused. A `type` beside them narrows the page, which may then hold fewer than `limit` while
        `next_cursor` leads on. The children of a parent come in the order in which they became
        that. A type is listed by id: whoever lives all the while is on one page.
        With `order=updated` those that were changed last come first: what changes while you page
        moves to the front, before your cursor. With `order=-updated` they come last, and what
        changes while you page comes again. `include_deleted` adds the deleted, `deleted` shows them
        alone; a deleted document has no slug. Every owner is asked; when one cannot answer the
        reply is 503, never a part as if it were the whole.
        """
        demand = Demand.of(query, self._reach.node.log_id)
        gathered, page = await attended(request, self._found(request, query, demand))
        documents, next_cursor = page.joined(gathered)
        headers = self._reach.headers(gathered.position, gathered.answered_by)
        return Reply({"documents": documents, "next_cursor": next_cursor}, headers=headers)

    async def _found(
        self, request: Request, query: FindQuery, demand: Demand
    ) -> tuple[Gathered, Page]:
        parent = None if query.ids or query.slugs else query.parent
        if parent is None:
            page = page_of(query)
            return await self._gather(request, page, demand), page
        excerpt = Excerpt.of(query, query.life)
        check_order(query, "of a parent's children")
        node, graph = self._reach.node, self._reach.node.graph
        part = Partition(node.partition_of(check_id(parent, field="parent")))
        await graph.wait(demand.of_partition(part), demand.left_s)
        # What is found is at least as new as this.
        related = graph.position().next_offsets.get(part, Offset(0))
        children = _children(graph.table, parent, query)
        page = IdsPage(children.ids, excerpt, query.type, children.next_cursor)
        gathered = await self._gather(request, page, demand)
        reached = gathered.position.next_offsets
        offsets = {**reached, part: min(related, reached.get(part, related))}
        return replace(gathered, position=Position(node.log_id, offsets)), page

    async def _gather(self, request: Request, page: Page, demand: Demand) -> Gathered:
        node = self._reach.node

        async def read(lives: Sequence[LivePartition]) -> Part:
            for live in lives:
                await demand.viewed(self._reach, request, live)
            return await page.read(node, lives)

        call = Call.like(request, patience_s=demand.patience_s)
        query = urlencode(page.parameters + demand.parameters, safe=",")
        return await self._reach.gather(
            request, page.partitions(node), read, call=call.to("/v1/documents", query)
        )


def _children(graph: GraphTable, parent: str, query: FindQuery) -> IdPage:
    """A page of them, shorter than asked for where other nodes could not be asked for so many."""
    limit = query.limit
    while True:
        children = graph.children(parent, query.branch, limit=limit, cursor=query.cursor)
        if len(quote(",".join(children.ids), safe=",")) <= _IDS_CHARACTERS_MAX:
            return children
        limit = len(children.ids) // 2
