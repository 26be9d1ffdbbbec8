"""The graph of all documents: the edges of every partition, found from both of their ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from heapq import merge
from itertools import islice, repeat

from docreactor.pipeline.edge import CHILD, Edge, EdgeKey
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.graph import DocumentGraph
from docreactor.tables.edge_count import EdgeCount
from docreactor.tables.edge_index import Direction, EdgeIndex, EdgePlace
from docreactor.tables.edge_page import EdgePage, IdPage, read_cursor, refusal, write_cursor
from docreactor.tables.graph_batch import GraphBatch, forgetting, half_forgotten
from docreactor.tables.remains import Remains
from docreactor.tables.store import AnyRow, Row, Store
from docreactor.tables.walk import Orphan, Walk

Types = Collection[str] | None
"""Which types of edges: of every type for None, and for none at all."""
Refused = Callable[[bytes, UndecodableRecordError], None]
"""Told of a record that is left out: its key, and why."""

_ORPHANS = "orphans"
_PLACE_PARTS = 3
_RANKS = ("0", "1")


class GraphTable:
    """The edges of all partitions, as far as its store's position of each says.

    It reads the store and makes rows for it; whoever calls writes them, with the position.
    """

    def __init__(self, store: Store, *, partition_count: int, documents_max: int) -> None:
        self.store = store
        self.remains = Remains(store)
        self._index = EdgeIndex(store, partition_count=partition_count)
        self._count = EdgeCount(store)
        self._partition_count = partition_count
        self._documents_max = documents_max

    def rows_for(
        self,
        partition: int,
        records: Sequence[tuple[bytes, bytes | None]],
        *,
        refused: Refused | None = None,
    ) -> list[AnyRow]:
        """What records of a partition of `relationships`, in their order, write.

        They are written before the next ones of that partition are made. A record with the key of
        an erased document's, before those that remove its edges, lets `remains` know where those
        lay. UndecodableRecord for a record of something else, or `refused` is told and it is left
        out.
        """
        batch = GraphBatch(self.store, partition, partition_count=self._partition_count)
        for key, value in records:
            try:
                batch.add(key, value)
            except UndecodableRecordError as error:
                if refused is None:
                    raise
                refused(key, error)
        return batch.rows()

    def forget_rows(self, partition: int) -> Iterator[Row]:
        """What removes all of a partition. Written in parts, it is `half_forgotten` meanwhile."""
        return forgetting(self.store, partition)

    def half_forgotten(self) -> list[int]:
        """The partitions to be forgotten again: to forget them was begun and never ended."""
        return half_forgotten(self.store)

    def edge(self, source_id: str, target_id: str, edge_type: str, branch: str) -> Edge | None:
        """One edge."""
        key = EdgeKey(source_id, branch, edge_type, target_id)
        content = self.store.get(self._index.row_key(key))
        return None if content is None else Edge.decode(content)

    def outgoing(
        self,
        document_id: str,
        types: Types,
        branch: str,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> EdgePage:
        """One page of the edges from a document. InvalidInput for a cursor of something else."""
        return self._page(document_id, types, branch, (Direction.OUT,), limit, cursor)

    def incoming(
        self,
        document_id: str,
        types: Types,
        branch: str,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> EdgePage:
        """As `outgoing`, of the edges to a document."""
        return self._page(document_id, types, branch, (Direction.IN,), limit, cursor)

    def both(
        self,
        document_id: str,
        types: Types,
        branch: str,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> EdgePage:
        """As `outgoing`, of the edges from and to a document; of two alike the one to it first."""
        directions = (Direction.IN, Direction.OUT)
        return self._page(document_id, types, branch, directions, limit, cursor)

    def directed(self, a: str, b: str, types: Types, branch: str) -> list[Edge]:
        """The edges from a document to another, by time, then by type."""
        found = self._between(a, b, types, branch)
        return sorted(found, key=lambda edge: (edge.created_at, edge.type))

    def undirected(self, a: str, b: str, types: Types, branch: str) -> list[Edge]:
        """The edges between two documents, by time, then by type, then by source."""
        found = self._between(a, b, types, branch)
        if a != b:
            found += self._between(b, a, types, branch)
        return sorted(found, key=lambda edge: (edge.created_at, edge.type, edge.source_id))

    def has(self, source_id: str, target_id: str, types: Types, branch: str) -> bool:
        """Whether there is an edge of one of the types from a document to another."""
        return next(self._contents(source_id, target_id, types, branch), None) is not None

    def types(self, branch: str) -> list[str]:
        """The types that edges of a branch have, in order."""
        return list(self._count.by_type(branch))

    def counts(self, branch: str) -> dict[str, int]:
        """How many edges of each type a branch has."""
        return self._count.by_type(branch)

    def children(
        self, document_id: str, branch: str, *, limit: int, cursor: str | None = None
    ) -> IdPage:
        """One page of a document's children, in the order in which they became that."""
        return self._others(document_id, branch, Direction.OUT, limit, cursor)

    def parents(
        self, document_id: str, branch: str, *, limit: int, cursor: str | None = None
    ) -> IdPage:
        """One page of the documents whose child this one is, in the order of that."""
        return self._others(document_id, branch, Direction.IN, limit, cursor)

    async def path(
        self, source_id: str, target_id: str, types: Types, branch: str
    ) -> list[str] | None:
        """One of the ways with the fewest edges, the same as long as the edges are.

        A document alone to itself, None where no way is. WalkTooLong when it meets too many.
        """
        return await self._walk(types, branch).path(source_id, target_id)

    async def ancestors(self, document_id: str, types: Types, branch: str) -> DocumentGraph:
        """The document, and all that edges lead from to it, nearer ones first.

        WalkTooLong when they are too many.
        """
        return await self._walk(types, branch).ancestors(document_id)

    async def orphans(
        self,
        parents: Collection[str],
        types: Types,
        branch: str,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> IdPage:
        """One page of the children of which every parent is among these, each once.

        In the order of the least of its parents, then of the time, then of the child.
        """
        after = None
        if cursor is not None:
            parent_id, *place = read_cursor(cursor, _ORPHANS, 1 + _PLACE_PARTS)
            if parent_id not in parents:
                raise refusal()
            after = Orphan(parent_id, EdgePlace(*place))
        found = await self._walk(types, branch).orphans(parents, after, limit + 1)
        more = len(found) > limit
        last = found[limit - 1] if more else None
        ids = [one.place.other_id for one in found[:limit]]
        return IdPage(ids, last and write_cursor(_ORPHANS, (last.parent_id, *last.place)))

    def _walk(self, types: Types, branch: str) -> Walk:
        return Walk(self._index, types or (), branch, documents_max=self._documents_max)

    def _page(
        self,
        document_id: str,
        types: Types,
        branch: str,
        directions: Sequence[Direction],
        limit: int,
        cursor: str | None,
    ) -> EdgePage:
        found = list(
            islice(self._places(document_id, types, branch, directions, cursor), limit + 1)
        )
        keys = [_key(document_id, branch, place, directions[rank]) for place, rank in found[:limit]]
        contents = self.store.get_many([self._index.row_key(key) for key in keys])
        # An edge and what finds it are one write.
        edges = [Edge.decode(content) for content in contents if content is not None]
        return EdgePage(edges, _next_cursor(directions, found, limit))

    def _others(
        self, document_id: str, branch: str, direction: Direction, limit: int, cursor: str | None
    ) -> IdPage:
        directions = (direction,)
        places = self._places(document_id, (CHILD,), branch, directions, cursor)
        found = list(islice(places, limit + 1))
        ids = [place.other_id for place, _ in found[:limit]]
        return IdPage(ids, _next_cursor(directions, found, limit))

    def _places(
        self,
        document_id: str,
        types: Types,
        branch: str,
        directions: Sequence[Direction],
        cursor: str | None,
    ) -> Iterator[tuple[EdgePlace, int]]:
        """The places after a cursor, and by which of the directions each was found."""
        after, last = None, 0
        if cursor is not None:
            *place, rank = read_cursor(cursor, _kind(directions), _PLACE_PARTS + 1)
            if rank not in _RANKS[: len(directions)]:
                raise refusal()
            after, last = EdgePlace(*place), int(rank)
        found = [
            zip(
                self._index.places(
                    document_id, types or (), branch, direction, after, has_it=rank > last
                ),
                repeat(rank),
            )
            for rank, direction in enumerate(directions)
        ]
        return found[0] if len(found) == 1 else merge(*found)

    def _between(self, source_id: str, target_id: str, types: Types, branch: str) -> list[Edge]:
        return [Edge.decode(one) for one in self._contents(source_id, target_id, types, branch)]

    def _contents(
        self, source_id: str, target_id: str, types: Types, branch: str
    ) -> Iterator[bytes]:
        if not types:
            return self._index.between(source_id, target_id, branch)
        keys = [EdgeKey(source_id, branch, one, target_id) for one in dict.fromkeys(types)]
        contents = self.store.get_many([self._index.row_key(key) for key in keys])
        return (content for content in contents if content is not None)


def _key(document_id: str, branch: str, place: EdgePlace, direction: Direction) -> EdgeKey:
    if direction is Direction.OUT:
        return EdgeKey(document_id, branch, place.type, place.other_id)
    return EdgeKey(place.other_id, branch, place.type, document_id)


def _kind(directions: Sequence[Direction]) -> str:
    return "+".join(direction.value for direction in directions)


def _next_cursor(
    directions: Sequence[Direction], found: Sequence[tuple[EdgePlace, int]], limit: int
) -> str | None:
    if len(found) <= limit:
        return None
    place, rank = found[limit - 1]
    return write_cursor(_kind(directions), (*place, str(rank)))
