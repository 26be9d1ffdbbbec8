"""The calls that follow edges: paths, ancestors, families."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.gateway.edges import (
    Ancestors,
    EdgeKinds,
    FamilyQuery,
    Has,
    Ids,
    OriginQuery,
    OrphansQuery,
    PairQuery,
    Path,
)
from docreactor.gateway.graph_reading import GraphReading, checked, types_of
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Item, Reach
from docreactor.gateway.requests import ReadQuery
from docreactor.gateway.turns import Turns
from docreactor.pipeline.edge import CHILD
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.graph import DocumentGraph, GraphEdge
from docreactor.pipeline.ids import check_id
from docreactor.tables.edge_page import IdPage
from docreactor.tables.graph import GraphTable

_AT_ONCE = 5_000


class GraphRoutes:
    """GET /v1/graph/…: every node answers by itself."""

    def __init__(self, reach: Reach) -> None:
        self._reading = GraphReading(reach)

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        for place, call, answer in (
            ("path", self.find_path, Path),
            ("ancestors", self.find_ancestors, Ancestors),
            ("has", self.has_relationship, Has),
            ("types", self.list_types, EdgeKinds),
            ("orphans", self.list_orphans, Ids),
            ("children", self.list_children, Ids),
            ("parents", self.list_parents, Ids),
        ):
            app.add_api_route(
                f"/v1/graph/{place}",
                call,
                methods=["GET"],
                response_model=None,
                tags=["relationships"],
                responses=replies({200: answer}),
            )

    async def find_path(self, request: Request, query: Annotated[PairQuery, Query()]) -> Response:
        """A way of fewest edges from `source` to `target`, along those of a `type`; or null."""
        source_id, target_id = _pair(query)
        types = types_of(query.type)

        async def read(graph: GraphTable) -> Item:
            return {"path": await graph.path(source_id, target_id, types, query.branch)}

        return await self._reading.reply(request, query, read)

    async def find_ancestors(
        self, request: Request, query: Annotated[OriginQuery, Query()]
    ) -> Response:
        """Everything from where edges lead to a document, itself among it, nearer ones first."""
        document_id = check_id(query.id, field="id")
        types = types_of(query.type)

        async def read(graph: GraphTable) -> orjson.Fragment:
            return await _written(await graph.ancestors(document_id, types, query.branch))

        return await self._reading.reply(request, query, read)

    async def has_relationship(
        self, request: Request, query: Annotated[PairQuery, Query()]
    ) -> Response:
        """Whether an edge leads from `source` to `target`."""
        source_id, target_id = _pair(query)
        types = types_of(query.type)

        async def read(graph: GraphTable) -> Item:
            return {"has": graph.has(source_id, target_id, types, query.branch)}

        return await self._reading.reply(request, query, read)

    async def list_types(self, request: Request, query: Annotated[ReadQuery, Query()]) -> Response:
        """The types of all edges of a branch."""

        async def read(graph: GraphTable) -> Item:
            return {"types": graph.types(query.branch), "next_cursor": None}

        return await self._reading.reply(request, query, read)

    async def list_orphans(
        self, request: Request, query: Annotated[OrphansQuery, Query()]
    ) -> Response:
        """A page of the children that have no parent but `parents`.

        That is what would be nobody's without these. Children are what edges of type `child` lead
        to, or edges of another `type`.
        """
        parents = checked(query.parents, field="parents")
        if not parents:
            raise InvalidInputError("parents", "must name at least one document")
        types = types_of(query.type) or [CHILD]

        async def read(graph: GraphTable) -> Item:
            page = await graph.orphans(
                parents, types, query.branch, limit=query.limit, cursor=query.cursor
            )
            return _ids(page)

        return await self._reading.reply(request, query, read)

    async def list_children(
        self, request: Request, query: Annotated[FamilyQuery, Query()]
    ) -> Response:
        """A page of a document's children, in the order in which they became that."""
        document_id = check_id(query.id, field="id")

        async def read(graph: GraphTable) -> Item:
            return _ids(
                graph.children(document_id, query.branch, limit=query.limit, cursor=query.cursor)
            )

        return await self._reading.reply(request, query, read)

    async def list_parents(
        self, request: Request, query: Annotated[FamilyQuery, Query()]
    ) -> Response:
        """A page of the documents whose child this one is, in the order in which it became that."""
        document_id = check_id(query.id, field="id")

        async def read(graph: GraphTable) -> Item:
            return _ids(
                graph.parents(document_id, query.branch, limit=query.limit, cursor=query.cursor)
            )

        return await self._reading.reply(request, query, read)


def _pair(query: PairQuery) -> tuple[str, str]:
    return check_id(query.source, field="source"), check_id(query.target, field="target")


def _ids(page: IdPage) -> Item:
    return {"ids": page.ids, "next_cursor": page.next_cursor}


async def _written(graph: DocumentGraph) -> orjson.Fragment:
    """A graph as JSON, which may be large: the loop gets its turn while it is written."""
    turns = Turns()
    nodes: list[bytes] = []
    for first in range(0, len(graph.nodes), _AT_ONCE):
        nodes.append(_listed(graph.nodes[first : first + _AT_ONCE]))
        await turns.give()
    edges: list[bytes] = []
    for first in range(0, len(graph.edges), _AT_ONCE):
        edges.append(_listed([_link(one) for one in graph.edges[first : first + _AT_ONCE]]))
        await turns.give()
    return orjson.Fragment(b'{"nodes":[%b],"edges":[%b]}' % (b",".join(nodes), b",".join(edges)))


def _listed(values: Sequence[Any]) -> bytes:
    return orjson.dumps(values)[1:-1]


def _link(edge: GraphEdge) -> dict[str, str]:
    return {"from": edge.source_id, "to": edge.target_id, "type": edge.type}
