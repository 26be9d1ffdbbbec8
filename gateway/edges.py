"""What is asked about relationships, and what is answered."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from docreactor.gateway.answers import Answer
from docreactor.gateway.requests import PageQuery, ReadQuery, Several

Direction = Literal["out", "in", "both"]


class TypedQuery(ReadQuery):
    """Over relationships of these types; without any, over those of all types."""

    type: Several = Field(default_factory=list)


class EdgesQuery(PageQuery):
    """A page of a document's edges: those it has, those to it, or both; `with` names the other."""

    direction: Direction = "out"
    type: Several = Field(default_factory=list)
    with_: str | None = Field(default=None, alias="with")


class PairQuery(TypedQuery):
    """From one document to another."""

    source: str
    target: str


class OriginQuery(TypedQuery):
    """From one document on."""

    id: str


class FamilyQuery(PageQuery):
    """A page of the documents next to one."""

    id: str


class OrphansQuery(PageQuery):
    """A page of the children that have no parent but these."""

    parents: Several
    type: Several = Field(default_factory=list)


class Edge(Answer):
    """A directed edge of one branch; `created_at` is the time of the action that added it."""

    source_id: str
    target_id: str
    type: str
    branch: str
    metadata: Any
    weight: float | None = None
    created_at: str
    updated_at: str


class Relationships(Answer):
    """A page of edges, by `created_at`, then by the other document's id, then by type."""

    relationships: list[Edge]
    next_cursor: str | None


class Path(Answer):
    """The ids on a shortest way, both ends among them; null where no way leads."""

    path: list[str] | None


class Link(Answer):
    """That an edge leads from one document to another."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    from_: str = Field(alias="from")
    to: str
    type: str


class Ancestors(Answer):
    """Everything from where edges lead to a document, and that document itself."""

    nodes: list[str]
    edges: list[Link]


class EdgeKinds(Answer):
    """The types of all edges there are."""

    types: list[str]
    next_cursor: str | None


class Ids(Answer):
    """A page of document ids."""

    ids: list[str]
    next_cursor: str | None


class Has(Answer):
    """Whether there is such an edge."""

    has: bool
