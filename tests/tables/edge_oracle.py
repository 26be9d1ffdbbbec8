"""What a graph must answer, computed the plain way from a list of its edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from random import Random
from typing import Any

from docreactor.pipeline.edge import POSITION_KEY, Edge, EdgeKey
from docreactor.pipeline.erased import erased_document, erased_key
from docreactor.pipeline.keys import partition_for

Pair = tuple[bytes, bytes | None]
PARTITIONS = 3
# Some begin like others do, with what sorts below a slash and above it.
IDS = ("a", "a+", "a-b", "a.b", "aa", "b", "b@", "b~", "c", "d0", "d1", "e")
TYPES = ("child", "child-of", "child.", "cites")
BRANCHES = ("main", "main-2")


def moment(at: int) -> str:
    """A time, so many microseconds after another."""
    return f"2026-01-02T03:04:05.{at:06d}Z"


def edge(
    source_id: str,
    target_id: str,
    edge_type: str = "child",
    *,
    at: int = 0,
    branch: str = "main",
    metadata: Any = None,
    weight: float | None = None,
) -> Edge:
    """An edge that was added at some time."""
    return Edge(
        source_id=source_id,
        branch=branch,
        type=edge_type,
        target_id=target_id,
        metadata=metadata,
        weight=weight,
        created_at=moment(at),
        updated_at=moment(at),
    )


def partition_of(source_id: str) -> int:
    """The partition that the edges from a document are in."""
    return partition_for(source_id, PARTITIONS)


class PlainGraph:
    """Every edge in a dict, and every answer by looking at all of them."""

    def __init__(self, edges: Iterable[Edge] = ()) -> None:
        self.edges: dict[EdgeKey, Edge] = {one.name: one for one in edges}

    def take(self, pairs: Iterable[Pair]) -> None:
        """What the records of a topic do."""
        for key, value in pairs:
            erased = erased_document(key)
            if erased is not None:
                for name in [one for one in self.edges if one.source_id == erased]:
                    del self.edges[name]
            elif value is None:
                self.edges = {name: one for name, one in self.edges.items() if one.key != key}
            elif key != POSITION_KEY:
                known = Edge.decode(value)
                self.edges[known.name] = known

    def kept(self, types: Collection[str], branch: str) -> list[Edge]:
        """The edges of a branch and of some types; of all without types."""
        return [
            one
            for one in self.edges.values()
            if one.branch == branch and (not types or one.type in types)
        ]

    def outgoing(self, document_id: str, types: Collection[str], branch: str) -> list[Edge]:
        found = [one for one in self.kept(types, branch) if one.source_id == document_id]
        return sorted(found, key=lambda one: (one.created_at, one.target_id, one.type))

    def incoming(self, document_id: str, types: Collection[str], branch: str) -> list[Edge]:
        found = [one for one in self.kept(types, branch) if one.target_id == document_id]
        return sorted(found, key=lambda one: (one.created_at, one.source_id, one.type))

    def both(self, document_id: str, types: Collection[str], branch: str) -> list[Edge]:
        places = [
            (one.created_at, one.source_id, one.type, 0, one)
            for one in self.incoming(document_id, types, branch)
        ] + [
            (one.created_at, one.target_id, one.type, 1, one)
            for one in self.outgoing(document_id, types, branch)
        ]
        return [place[-1] for place in sorted(places, key=lambda place: place[:-1])]

    def between(self, a: str, b: str, types: Collection[str], branch: str) -> list[Edge]:
        found = [one for one in self.outgoing(a, types, branch) if one.target_id == b]
        return sorted(found, key=lambda one: (one.created_at, one.type))

    def counts(self, branch: str) -> dict[str, int]:
        found = [one.type for one in self.kept((), branch)]
        return {one: found.count(one) for one in sorted(set(found))}

    def distances(self, start: str, types: Collection[str], branch: str) -> dict[str, int]:
        """How many edges away from a document each is that can be reached."""
        found, border, hops = {start: 0}, {start}, 0
        while border:
            hops += 1
            border = {
                one.target_id
                for one in self.kept(types, branch)
                if one.source_id in border and one.target_id not in found
            }
            found |= dict.fromkeys(border, hops)
        return found

    def turned(self) -> PlainGraph:
        """The same with every edge the other way round."""
        return PlainGraph(
            edge(one.target_id, one.source_id, one.type, branch=one.branch)
            for one in self.edges.values()
        )

    def orphans(self, parents: Collection[str], types: Collection[str], branch: str) -> list[str]:
        """Each at the least of its edges: by parent, then by type."""
        found: list[tuple[str, str, str]] = []
        for child in {one.target_id for one in self.kept(types, branch)}:
            into = self.incoming(child, types, branch)
            if {one.source_id for one in into} <= set(parents):
                least = min(into, key=lambda one: (one.source_id, one.type))
                found.append((least.source_id, least.created_at, child))
        return [child for _, _, child in sorted(found)]


def drawn_records(random: Random, count: int) -> list[tuple[int, list[Pair]]]:
    """Batches of records as partitions of the topic carry them: edges, tombstones, erasures."""
    batches: list[tuple[int, list[Pair]]] = []
    for _ in range(count):
        partition = random.randrange(PARTITIONS)
        batch = [_drawn_record(random, partition) for _ in range(random.randrange(12))]
        batches.append((partition, batch))
    return batches


def _drawn_record(random: Random, partition: int) -> Pair:
    source_id = random.choice([one for one in IDS if partition_of(one) == partition])
    drawn = random.random()
    if drawn < 0.05:
        return POSITION_KEY, b'{"operations":7}'
    if drawn < 0.07:
        return erased_key(source_id), None
    target_id = random.choice([one for one in IDS if one != source_id])
    branch = random.choice(BRANCHES) if random.random() < 0.2 else BRANCHES[0]
    made = edge(
        source_id,
        target_id,
        random.choice(TYPES),
        at=random.randrange(4),
        branch=branch,
        metadata=random.choice([None, {"n": random.randrange(9)}]),
        weight=random.choice([None, 0.5]),
    )
    return made.key, None if drawn < 0.35 else made.encode()
