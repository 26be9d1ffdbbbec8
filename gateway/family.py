"""Which documents would be nobody's children any more once a document is gone."""

from __future__ import annotations

from dataclasses import dataclass, field

from docreactor.gateway.turns import Turns
from docreactor.pipeline.errors import TooLargeError
from docreactor.tables.graph import GraphTable

_PAGE = 500


@dataclass(slots=True)
class _Child:
    """A child of one that goes, and which of its parents were not looked at yet."""

    document_id: str
    parents: list[str] = field(default_factory=list[str])
    cursor: str | None = None
    is_read: bool = False


class Family:
    """Finds the children of a document that have no parent but it and each other, and theirs.

    It reads the graph as it is when it gets there; the loop gets its turn meanwhile. TooLarge for
    more than `count_max` such documents, or children of theirs, those that stay among them.
    """

    def __init__(self, graph: GraphTable, branch: str, *, count_max: int) -> None:
        self._graph = graph
        self._branch = branch
        self._count_max = count_max
        self._turns = Turns()
        self._children: dict[str, list[str]] = {}
        """By each document that goes."""
        self._met: set[str] = set()
        self._held: dict[str, list[_Child]] = {}
        """By a parent that does not go."""

    async def of(self, document_id: str) -> dict[str, list[str]]:
        """The document and all of these, each with all its children, those that stay too."""
        self._children = {document_id: []}
        # It grows while it is gone through.
        going = [document_id]
        for parent_id in going:
            freed = self._held.pop(parent_id, [])
            freed += await self._children_of(parent_id)
            for child in freed:
                holder = await self._holder(child)
                if holder is not None:
                    self._held.setdefault(holder, []).append(child)
                    continue
                self._children[child.document_id] = []
                going.append(child.document_id)
            self._check("documents", len(going))
        return self._children

    async def _children_of(self, parent_id: str) -> list[_Child]:
        """The children of one that goes which were not met before."""
        children = self._children[parent_id]
        cursor: str | None = None
        while True:
            page = self._graph.children(parent_id, self._branch, limit=_PAGE, cursor=cursor)
            children += page.ids
            self._check("children", len(children))
            await self._turns.give()
            cursor = page.next_cursor
            if cursor is None:
                break
        fresh = [one for one in children if one not in self._met and one not in self._children]
        self._met.update(fresh)
        self._check("children", len(self._met))
        return [_Child(one) for one in fresh]

    async def _holder(self, child: _Child) -> str | None:
        """A parent of the child that does not go, as far as is known; None when all go."""
        while True:
            while child.parents:
                if child.parents[-1] not in self._children:
                    return child.parents[-1]
                child.parents.pop()
            if child.is_read:
                return None
            page = self._graph.parents(
                child.document_id, self._branch, limit=_PAGE, cursor=child.cursor
            )
            child.parents, child.cursor = page.ids, page.next_cursor
            child.is_read = child.cursor is None
            await self._turns.give()

    def _check(self, what: str, count: int) -> None:
        if count > self._count_max:
            raise TooLargeError(f"number of {what} of one deletion", limit=self._count_max)


def deepest_first(document_id: str, family: dict[str, list[str]]) -> dict[str, list[str]]:
    """Those that go, each with its children among those before it.

    These are all of its children that go, but for circles, which have no order.
    """
    order: dict[str, list[str]] = {}
    met = {document_id}
    way = [(document_id, iter(family[document_id]))]
    while way:
        parent_id, children = way[-1]
        for child_id in children:
            if child_id in family and child_id not in met:
                met.add(child_id)
                way.append((child_id, iter(family[child_id])))
                break
        else:
            way.pop()
            order[parent_id] = [one for one in family[parent_id] if one in order]
    return order
