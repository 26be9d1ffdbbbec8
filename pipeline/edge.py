"""An edge from one document to another, as operations make it and as its topic carries it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from docreactor.pipeline.action import (
    ADD_RELATIONSHIP,
    DOCUMENT_SCOPE,
    RELATIONSHIP_ACTIONS,
    REMOVE_RELATIONSHIP,
)
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.inputs import RelateInput, UnrelateInput, read_input
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.wire import Wire

CHILD = "child"
"""The type of the edges that make a tree of documents."""

POSITION_KEY = b"position"
"""The key of the record that says how far its partition of `relationships` is; no edge's is it."""

_PARTS = 4


class EdgeKey(NamedTuple):
    """Which edge: there is one at most of a type between two documents, on each branch."""

    source_id: str
    branch: str
    type: str
    target_id: str

    def encode(self) -> bytes:
        """The key of its record."""
        return "/".join(self).encode()


def parse_edge_key(key: bytes) -> EdgeKey:
    """The inverse of `EdgeKey.encode`. Raises ValueError for anything else."""
    parts = key.decode().split("/")
    if len(parts) != _PARTS or not all(parts):
        raise ValueError(f"{key!r} is no key of an edge")
    return EdgeKey(*parts)


def edge_prefix(source_id: str, branch: str) -> bytes:
    """What the keys of a document's edges on a branch begin with; no other one's do."""
    return f"{source_id}/{branch}/".encode()


class Edge(Wire, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The value of a record of `relationships`: an edge as it is, whatever made it so.

    `created_at` is the time of the action that added it, `updated_at` of the newest that changed
    it. Its JSON has a `weight` only where it has one.
    """

    source_id: str
    branch: str
    type: str
    target_id: str
    metadata: Any
    weight: float | None = None
    created_at: str
    updated_at: str

    @property
    def name(self) -> EdgeKey:
        """What it is found by."""
        return EdgeKey(self.source_id, self.branch, self.type, self.target_id)

    @property
    def key(self) -> bytes:
        """The key of its record."""
        return self.name.encode()

    def encode(self) -> bytes:
        """The canonical bytes of its record."""
        return encode(self.json)


@dataclass(frozen=True, slots=True)
class Word:
    """What one operation says about one edge."""

    key: EdgeKey
    action_type: str
    timestamp: str
    metadata: Any = None
    weight: float | None = None

    def apply(self, edge: Edge | None) -> Edge | None:
        """The edge after it. An edge that is there stays as the first addition made it.

        Removing and updating what is not there change nothing.
        """
        if self.action_type == REMOVE_RELATIONSHIP:
            return None
        if self.action_type == ADD_RELATIONSHIP:
            return self._made(self.timestamp) if edge is None else edge
        return None if edge is None else self._made(edge.created_at)

    def _made(self, created_at: str) -> Edge:
        source_id, branch, edge_type, target_id = self.key
        return Edge(
            source_id=source_id,
            branch=branch,
            type=edge_type,
            target_id=target_id,
            metadata=self.metadata,
            weight=self.weight,
            created_at=created_at,
            updated_at=self.timestamp,
        )


def word(operation: Operation, branch: str) -> Word | None:
    """What an operation of this branch says about an edge; None when it says nothing.

    One with an error says nothing. InvalidInput for one that no reducer can have let through.
    """
    action = operation.action
    if (
        action.type not in RELATIONSHIP_ACTIONS
        or action.scope != DOCUMENT_SCOPE
        or operation.error is not None
    ):
        return None
    if action.type == REMOVE_RELATIONSHIP:
        gone = read_input(UnrelateInput, action.input)
        key = EdgeKey(gone.source_id, branch, gone.relationship_type, gone.target_id)
        return Word(key, action.type, action.timestamp)
    given = read_input(RelateInput, action.input)
    key = EdgeKey(given.source_id, branch, given.relationship_type, given.target_id)
    return Word(key, action.type, action.timestamp, given.metadata, given.weight)


class Edges:
    """The edges of one document on one branch: the fold of its effective `document` stream."""

    def __init__(self, known: Iterable[Edge] = (), *, branch: str) -> None:
        self._branch = branch
        self._edges = {edge.name: edge for edge in known}

    @property
    def current(self) -> Mapping[EdgeKey, Edge]:
        """Every edge that there is."""
        return self._edges

    def apply(self, operation: Operation) -> None:
        """Take what an operation says; one that says nothing about edges changes nothing."""
        said = word(operation, self._branch)
        if said is None:
            return
        edge = said.apply(self._edges.get(said.key))
        if edge is None:
            self._edges.pop(said.key, None)
        else:
            self._edges[said.key] = edge


Kind = Literal["added", "updated", "removed"]


class Change(NamedTuple):
    """What became of one edge: what it is, or None where it is no more."""

    key: EdgeKey
    edge: Edge | None
    kind: Kind


def change(key: EdgeKey, before: Edge | None, after: Edge | None) -> Change | None:
    """What became of an edge; None where it is the same."""
    if after is None:
        return None if before is None else Change(key, None, "removed")
    if before is None:
        return Change(key, after, "added")
    return None if _is_same(before, after) else Change(key, after, "updated")


def changes(before: Mapping[EdgeKey, Edge], after: Mapping[EdgeKey, Edge]) -> list[Change]:
    """What became of each edge that is not the same, in the order of the keys."""
    found = (change(key, before.get(key), after.get(key)) for key in sorted({*before, *after}))
    return [one for one in found if one is not None]


def _is_same(one: Edge, other: Edge) -> bool:
    if one is other:
        return True
    # To Python 1, 1.0 and True are the same; in JSON they are not.
    return one == other and (one.metadata is None or one.encode() == other.encode())
