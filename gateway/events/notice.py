"""What subscribers are told: that a document or an edge is not what it was."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

from docreactor.pipeline.position import Offset

CREATED: Final = "document.created"
UPDATED: Final = "document.updated"
DELETED: Final = "document.deleted"
RELATED: Final = "relationship.changed"

EventName = Literal[
    "document.created", "document.updated", "document.deleted", "relationship.changed"
]


@dataclass(frozen=True, slots=True)
class Notice:
    """One event. What it does not know of the document is None, and then no filter excludes it.

    `offset` is that of the record which it tells of; `ids` are those that it is about, of an edge
    the source first; `data` is its JSON.
    """

    event: EventName
    offset: Offset
    ids: tuple[str, ...]
    branch: str | None
    document_type: str | None
    scopes: AbstractSet[str] | None
    data: bytes
