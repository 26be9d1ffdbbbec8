"""What a deletion takes with it: edges that are removed before, and documents that go too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from docreactor.gateway.family import Family, deepest_first
from docreactor.gateway.turns import Turns
from docreactor.pipeline.errors import TooLargeError
from docreactor.tables.graph import GraphTable

_PAGE = 500


class Cut(NamedTuple):
    """An edge that is removed, of some source."""

    type: str
    target_id: str


@dataclass(frozen=True, slots=True)
class Cascade:
    """What ends with a document.

    `edges` are by source. `documents` are in the order of their deletions, the one that was asked
    for last, each with those of the others that come before it because they are its children.
    """

    edges: Mapping[str, Sequence[Cut]]
    documents: Mapping[str, Sequence[str]]

    @classmethod
    def alone(cls, document_id: str) -> Cascade:
        """The document and nothing else."""
        return cls({}, {document_id: ()})


class CascadePlanner:
    """Reads the graph as it is when it gets there; the loop gets its turn meanwhile.

    TooLarge for more than `count_max` edges or documents.
    """

    def __init__(self, graph: GraphTable, branch: str, *, count_max: int) -> None:
        self._graph = graph
        self._branch = branch
        self._count_max = count_max
        self._turns = Turns()
        self._count = 0
        self._edges: dict[str, list[Cut]] = {}

    async def edges(self, document_id: str) -> Cascade:
        """The document, with the edges from it and to it."""
        await self._cut(document_id, is_source=True)
        await self._cut(document_id, is_source=False)
        return Cascade(self._edges, {document_id: ()})

    async def children(self, document_id: str) -> Cascade:
        """The document, the children that have no parent but those that go, theirs, and so on.

        With the edges to each of them.
        """
        family = Family(self._graph, self._branch, count_max=self._count_max)
        documents = deepest_first(document_id, await family.of(document_id))
        for one in documents:
            await self._cut(one, is_source=False)
        return Cascade(self._edges, documents)

    async def _cut(self, document_id: str, *, is_source: bool) -> None:
        """Take in the edges from a document, or those to it."""
        read = self._graph.outgoing if is_source else self._graph.incoming
        cursor: str | None = None
        while True:
            page = read(document_id, None, self._branch, limit=_PAGE, cursor=cursor)
            for edge in page.edges:
                self._edges.setdefault(edge.source_id, []).append(Cut(edge.type, edge.target_id))
            self._count += len(page.edges)
            if self._count > self._count_max:
                raise TooLargeError("number of edges of one deletion", limit=self._count_max)
            await self._turns.give()
            cursor = page.next_cursor
            if cursor is None:
                return
