"""Long ways along the edges of a graph: paths, ancestors, orphans."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from heapq import merge
from time import perf_counter
from typing import NamedTuple

from docreactor.pipeline.errors import WalkTooLongError
from docreactor.pipeline.graph import DocumentGraph, GraphEdge
from docreactor.tables.edge_index import Direction, EdgeIndex, EdgePlace

_STRETCH_S = 0.01
_FEW = 127
"""A look at the clock after each so many steps: a power of two, less one."""
_RUN = 5_000
"""So many documents are put in order at once."""


class Orphan(NamedTuple):
    """A child at the edge that it is told of: of all that lead to it the least, by parent."""

    parent_id: str
    place: EdgePlace


class Walk:
    """One walk along edges of some types, or of all without types, on a branch.

    What changes meanwhile it meets or not. The loop gets its turn on the way, so it ends when it
    is cancelled.
    """

    def __init__(
        self, index: EdgeIndex, types: Collection[str], branch: str, *, documents_max: int
    ) -> None:
        self._index = index
        self._reader = index.store.reader()
        self._types = tuple(sorted(set(types)))
        self._branch = branch
        self._documents_max = documents_max
        self._since = perf_counter()
        self._count = 0

    async def path(self, source_id: str, target_id: str) -> list[str] | None:
        """One of the shortest ways, None without any: the same as long as the edges are.

        WalkTooLong when it meets too many documents on the way.
        """
        if source_id == target_id:
            return [source_id]
        ahead = _Side(source_id.encode(), Direction.OUT)
        back = _Side(target_id.encode(), Direction.IN)
        while ahead.border and back.border:
            # Two small circles are walked instead of a large one.
            side, other = (ahead, back) if len(ahead.border) <= len(back.border) else (back, ahead)
            met = await self._widen(side, other, source_id)
            if met is not None:
                way = [*reversed(ahead.way(met)), *back.way(met)[1:]]
                return [one.decode() for one in way]
        return None

    async def ancestors(self, document_id: str) -> DocumentGraph:
        """This document, and every one that edges lead from to it, nearer ones first.

        With every edge that leads to one of them. WalkTooLong when they are too many.
        """
        start = document_id.encode()
        nodes = {start: document_id}
        edges: list[GraphEdge] = []
        types: dict[bytes, str] = {}
        border = [start]
        while border:
            widened: list[bytes] = []
            for target in await self._together(border):
                target_id = nodes[target]
                for source, edge_type in self._neighbours(target, Direction.IN):
                    source_id = nodes.get(source)
                    if source_id is None:
                        source_id = nodes[source] = source.decode()
                        widened.append(source)
                        self._check(len(nodes), document_id)
                    named = types.get(edge_type) or types.setdefault(edge_type, edge_type.decode())
                    edges.append(GraphEdge(source_id, target_id, named))
                    if self._is_due():
                        await self._rest()
                if self._is_due():
                    await self._rest()
            border = widened
        return DocumentGraph(tuple(nodes.values()), tuple(edges))

    async def orphans(
        self, parents: Collection[str], after: Orphan | None, count_max: int
    ) -> list[Orphan]:
        """The next children of which every parent is among these, each once."""
        known = {one.encode() for one in parents}
        found: list[Orphan] = []
        for parent_id in sorted(set(parents)):
            if after is not None and parent_id < after.parent_id:
                continue
            begun = after.place if after is not None and parent_id == after.parent_id else None
            for place in self._index.places(
                parent_id, self._types, self._branch, Direction.OUT, begun
            ):
                least: tuple[bytes, bytes] | None = None
                for edge in self._neighbours(place.other_id.encode(), Direction.IN):
                    if self._is_due():
                        await self._rest()
                    if edge[0] not in known:
                        break
                    least = edge if least is None else min(least, edge)
                else:
                    if least == (parent_id.encode(), place.type.encode()):
                        found.append(Orphan(parent_id, place))
                        if len(found) == count_max:
                            return found
            if self._is_due():
                await self._rest()
        return found

    async def _widen(self, side: _Side, other: _Side, source_id: str) -> bytes | None:
        """Go one edge further on a side; the first document that the other side knows."""
        widened: list[bytes] = []
        border, side.border = side.border, widened
        led, known = side.led, other.led
        for node in await self._together(border):
            for neighbour, _ in self._neighbours(node, side.direction):
                if neighbour not in led:
                    led[neighbour] = node
                    if neighbour in known:
                        return neighbour
                    widened.append(neighbour)
                    self._check(len(led) + len(known), source_id)
                if self._is_due():
                    await self._rest()
            if self._is_due():
                await self._rest()
        return None

    async def _together(self, border: list[bytes]) -> Iterator[bytes]:
        """Documents in the order in which they lie in the store: most is found near the last."""
        runs: list[list[bytes]] = []
        for at in range(0, len(border), _RUN):
            runs.append(sorted(border[at : at + _RUN]))
            if len(runs) > 1:
                await self._rest()
        return iter(runs[0]) if len(runs) == 1 else merge(*runs)

    def _neighbours(self, node: bytes, direction: Direction) -> Iterator[tuple[bytes, bytes]]:
        types, branch = self._types, self._branch
        return self._index.neighbours(self._reader, node, types, branch, direction)

    def _check(self, count: int, document_id: str) -> None:
        if count > self._documents_max:
            raise WalkTooLongError(document_id, limit=self._documents_max)

    def _is_due(self) -> bool:
        self._count += 1
        return not self._count & _FEW and perf_counter() - self._since > _STRETCH_S

    async def _rest(self) -> None:
        await asyncio.sleep(0)
        self._since = perf_counter()


class _Side:
    """One of the two ends that a path is looked for from."""

    __slots__ = ("border", "direction", "led")

    def __init__(self, start: bytes, direction: Direction) -> None:
        self.direction = direction
        self.led: dict[bytes, bytes] = {start: start}
        """Which document each was met from; the first from itself."""
        self.border: list[bytes] = [start]

    def way(self, met: bytes) -> list[bytes]:
        """From a document that it met back to where it began."""
        way = [met]
        while (before := self.led[way[-1]]) != way[-1]:
            way.append(before)
        return way
