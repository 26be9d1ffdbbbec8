"""The calls of the Python client that ask how documents are related."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, TypeVar, Unpack

from docreactor.gateway.answers import Answer
from docreactor.gateway.changes import segment
from docreactor.gateway.connection import Connection, joined
from docreactor.gateway.edges import (
    Ancestors,
    Direction,
    EdgeKinds,
    Has,
    Ids,
    Path,
    Relationships,
)
from docreactor.gateway.reading import Tokens
from docreactor.gateway.requests import LIMIT_DEFAULT, TIMEOUT_DEFAULT_MS
from docreactor.pipeline.graph import DocumentGraph, GraphEdge
from docreactor.pipeline.inputs import DEFAULT_BRANCH

_Read = TypeVar("_Read", bound=Answer)
_Parameters = dict[str, str | int | Sequence[str] | None]


class Asking(TypedDict, total=False):
    """How the graph is asked: on which branch, at least as new as `token`, waiting how long."""

    branch: str
    token: Tokens
    timeout_ms: int


class Paging(Asking, total=False):
    """As Asking, and which page."""

    limit: int
    cursor: str | None


class Graphing:
    """What asks for edges. `types` are those to look at: all of them unless given.

    Every node answers by itself. What a deleted document was related to is answered too.
    """

    _connection: Connection

    async def relationships(
        self,
        document_id: str,
        *,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        other: str | None = None,
        **paging: Unpack[Paging],
    ) -> Relationships:
        """A page of the edges that a document has, that lead to it, or both.

        `other` narrows them to those between the two.
        """
        return await self._connection.call(
            Relationships,
            "GET",
            f"/v1/documents/{segment(document_id)}/relationships",
            parameters={
                "direction": direction,
                "type": joined(types),
                "with": other,
                **_paged(paging),
            },
        )

    async def outgoing(
        self, document_id: str, types: Sequence[str] | None = None, **paging: Unpack[Paging]
    ) -> Relationships:
        """A page of the edges from a document."""
        return await self.relationships(document_id, direction="out", types=types, **paging)

    async def incoming(
        self, document_id: str, types: Sequence[str] | None = None, **paging: Unpack[Paging]
    ) -> Relationships:
        """A page of the edges to a document."""
        return await self.relationships(document_id, direction="in", types=types, **paging)

    async def directed(
        self,
        source_id: str,
        target_id: str,
        types: Sequence[str] | None = None,
        **paging: Unpack[Paging],
    ) -> Relationships:
        """A page of the edges from one document to another."""
        return await self.relationships(
            source_id, direction="out", types=types, other=target_id, **paging
        )

    async def undirected(
        self, one: str, other: str, types: Sequence[str] | None = None, **paging: Unpack[Paging]
    ) -> Relationships:
        """A page of the edges between two documents, whichever has them."""
        return await self.relationships(one, direction="both", types=types, other=other, **paging)

    async def path(
        self,
        source_id: str,
        target_id: str,
        types: Sequence[str] | None = None,
        **asking: Unpack[Asking],
    ) -> list[str] | None:
        """The ids on a way of fewest edges, both ends among them; None where none leads there."""
        parameters: _Parameters = {"source": source_id, "target": target_id, "type": joined(types)}
        return (await self._graph(Path, "path", parameters | _asked(asking))).path

    async def ancestors(
        self, document_id: str, types: Sequence[str] | None = None, **asking: Unpack[Asking]
    ) -> DocumentGraph:
        """Everything from where edges lead to a document, itself among it."""
        parameters: _Parameters = {"id": document_id, "type": joined(types)}
        found = await self._graph(Ancestors, "ancestors", parameters | _asked(asking))
        edges = (GraphEdge(one.from_, one.to, one.type) for one in found.edges)
        return DocumentGraph(tuple(found.nodes), tuple(edges))

    async def has_relationship(
        self,
        source_id: str,
        target_id: str,
        types: Sequence[str] | None = None,
        **asking: Unpack[Asking],
    ) -> bool:
        """Whether an edge leads from one document to another."""
        parameters: _Parameters = {"source": source_id, "target": target_id, "type": joined(types)}
        return (await self._graph(Has, "has", parameters | _asked(asking))).has

    async def relationship_types(self, **asking: Unpack[Asking]) -> list[str]:
        """The types of all edges there are."""
        return (await self._graph(EdgeKinds, "types", _asked(asking))).types

    async def orphans(
        self,
        parents: Sequence[str],
        types: Sequence[str] | None = None,
        **paging: Unpack[Paging],
    ) -> Ids:
        """A page of the children that have no parent but these."""
        parameters: _Parameters = {"parents": joined(parents), "type": joined(types)}
        return await self._graph(Ids, "orphans", parameters | _paged(paging))

    async def children(self, document_id: str, **paging: Unpack[Paging]) -> Ids:
        """A page of a document's children."""
        return await self._graph(Ids, "children", {"id": document_id, **_paged(paging)})

    async def parents(self, document_id: str, **paging: Unpack[Paging]) -> Ids:
        """A page of the documents that this one is a child of."""
        return await self._graph(Ids, "parents", {"id": document_id, **_paged(paging)})

    async def _graph(self, kind: type[_Read], place: str, parameters: _Parameters) -> _Read:
        return await self._connection.call(kind, "GET", f"/v1/graph/{place}", parameters=parameters)


def _asked(asking: Asking) -> _Parameters:
    return {
        "branch": asking.get("branch", DEFAULT_BRANCH),
        "token": joined(asking.get("token")),
        "timeout_ms": asking.get("timeout_ms", TIMEOUT_DEFAULT_MS),
    }


def _paged(paging: Paging) -> _Parameters:
    page: _Parameters = {
        "limit": paging.get("limit", LIMIT_DEFAULT),
        "cursor": paging.get("cursor"),
    }
    return page | _asked(paging)
