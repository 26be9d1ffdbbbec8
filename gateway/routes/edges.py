"""The call that lists the edges of a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.gateway.edges import EdgesQuery, Relationships
from docreactor.gateway.graph_reading import GraphReading, types_of
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Item, Reach
from docreactor.pipeline.edge import Edge
from docreactor.pipeline.ids import check_id
from docreactor.tables.edge_page import EdgePage, read_cursor, write_cursor
from docreactor.tables.graph import GraphTable

_BETWEEN = "between"
_PLACE_PARTS = 3


class EdgeRoutes:
    """GET /v1/documents/{id}/relationships."""

    def __init__(self, reach: Reach) -> None:
        self._reading = GraphReading(reach)

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents/{document_id}/relationships",
            self.list_relationships,
            methods=["GET"],
            response_model=None,
            tags=["relationships"],
            responses=replies({200: Relationships}),
        )

    async def list_relationships(
        self, request: Request, document_id: str, query: Annotated[EdgesQuery, Query()]
    ) -> Response:
        """A page of the edges from a document, to it (`direction=in`), or `both`.

        By `created_at`, then by the id of the other document, then by type. `with` leaves those
        that have this document at their other end, `type` those of one of these types. Any node
        answers. A document that is deleted, or is none, has the edges that were written.
        """
        check_id(document_id, field="id")
        if query.with_ is not None:
            check_id(query.with_, field="with")
        types = types_of(query.type)

        async def read(graph: GraphTable) -> Item:
            if query.with_ is None:
                page = _listed(graph, document_id, types, query)
            else:
                page = _between(graph, document_id, query.with_, types, query)
            edges = [edge.json for edge in page.edges]
            return {"relationships": edges, "next_cursor": page.next_cursor}

        return await self._reading.reply(request, query, read)


def _listed(
    graph: GraphTable, document_id: str, types: Sequence[str] | None, query: EdgesQuery
) -> EdgePage:
    by_direction = {"out": graph.outgoing, "in": graph.incoming, "both": graph.both}
    read = by_direction[query.direction]
    return read(document_id, types, query.branch, limit=query.limit, cursor=query.cursor)


def _between(
    graph: GraphTable,
    document_id: str,
    other_id: str,
    types: Sequence[str] | None,
    query: EdgesQuery,
) -> EdgePage:
    """One page of the edges between the two, of which there is one at most of each type."""
    if query.direction == "both":
        found = graph.undirected(document_id, other_id, types, query.branch)
    else:
        ends = (document_id, other_id) if query.direction == "out" else (other_id, document_id)
        found = graph.directed(*ends, types, query.branch)
    kind = f"{_BETWEEN} {query.direction}"
    if query.cursor is not None:
        after = tuple(read_cursor(query.cursor, kind, _PLACE_PARTS))
        found = [edge for edge in found if _place(edge) > after]
    page = found[: query.limit]
    more = len(found) > query.limit
    return EdgePage(page, write_cursor(kind, _place(page[-1])) if more else None)


def _place(edge: Edge) -> tuple[str, str, str]:
    return edge.created_at, edge.type, edge.source_id
