"""A graph of documents: who they are, and the edges between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self, TypeVar

from docreactor.pipeline.canonical import JSON
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.wire import Wire

Strategy = Literal["breadth-first", "depth-first"]
_Value = TypeVar("_Value")


class GraphEdge(Wire, frozen=True, gc=False, order=True):
    """One edge of a graph, from a document to another."""

    source_id: str
    target_id: str
    type: str


class _Step(NamedTuple):
    document_id: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class DocumentGraph:
    """Documents and the edges between them; cycles are welcome.

    Whatever goes along the edges goes from a source to its targets in the order of `edges`, and
    meets each document once.
    """

    nodes: tuple[str, ...]
    edges: tuple[GraphEdge, ...]

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `json`. KeyError or TypeError for anything else."""
        edges = (GraphEdge(one["from"], one["to"], one["type"]) for one in content["edges"])
        return cls(tuple(content["nodes"]), tuple(edges))

    @property
    def json(self) -> dict[str, JSON]:
        """Its form in HTTP."""
        edges = [
            {"from": one.source_id, "to": one.target_id, "type": one.type} for one in self.edges
        ]
        return {"nodes": list(self.nodes), "edges": edges}

    @property
    def all(self) -> list[str]:
        """Every document, in the order of `nodes`."""
        return list(self.nodes)

    @property
    def roots(self) -> list[str]:
        """The documents that no edge leads to, in the order of `nodes`: none within a circle."""
        targets = {edge.target_id for edge in self.edges}
        return [node for node in self.nodes if node not in targets]

    def traverse(
        self,
        start: str,
        strategy: Strategy = "breadth-first",
        visitor: Callable[[str], object] | None = None,
    ) -> list[str]:
        """The documents that edges lead to from here, this one first, in the order of the visit.

        Depth-first a document comes before its targets, breadth-first the nearer ones come first.
        The visitor is called as each is met; what it raises ends the visit. InvalidInput for a
        document that is not in the graph.
        """
        found: list[str] = []
        for step in self._steps(start, strategy):
            found.append(step.document_id)
            if visitor is not None:
                visitor(step.document_id)
        return found

    def aggregate(
        self,
        reducer: Callable[[_Value, str, str | None], _Value],
        initial: _Value,
        root: str | None = None,
    ) -> _Value:
        """One value of all documents that edges lead to from a root.

        The reducer is given the value so far, a document, and the document whose edge led to it:
        None for the root. It is called depth-first. Without a root it begins at the first of
        `roots`, or, where all lie on circles, at the first document; an empty graph's value is the
        initial one. InvalidInput for a root that is not in the graph.
        """
        if root is None:
            if not self.nodes:
                return initial
            root = next(iter(self.roots), self.nodes[0])
        value = initial
        for step in self._steps(root, "depth-first"):
            value = reducer(value, step.document_id, step.parent_id)
        return value

    def _steps(self, start: str, strategy: Strategy) -> Iterator[_Step]:
        if start not in self.nodes:
            raise InvalidInputError("start", f"{start} is not a document of this graph")
        if strategy not in ("breadth-first", "depth-first"):
            raise InvalidInputError("strategy", "must be breadth-first or depth-first")
        targets: dict[str, list[str]] = {}
        for edge in self.edges:
            targets.setdefault(edge.source_id, []).append(edge.target_id)
        is_deep = strategy == "depth-first"
        met: set[str] = set()
        waiting = deque([_Step(start, None)])
        while waiting:
            step = waiting.pop() if is_deep else waiting.popleft()
            if step.document_id in met:
                continue
            met.add(step.document_id)
            yield step
            after = targets.get(step.document_id, [])
            # What is taken from the end must have been put there last.
            for target in reversed(after) if is_deep else after:
                if target not in met:
                    waiting.append(_Step(target, step.document_id))
