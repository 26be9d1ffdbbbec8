"""What subscribers of the Python client get."""

from __future__ import annotations

from typing import Literal

from docreactor.gateway.answers import Answer


class DocumentEvent(Answer):
    """A document was created, changed or deleted: `scopes` says where something was stored.

    A read with `token` shows it. An erasure does not know the type, the branch and the scopes; it
    takes every branch. Where a document's hashes were accepted, its type is not known.
    """

    event: Literal["document.created", "document.updated", "document.deleted"]
    cursor: str
    document_id: str
    document_type: str | None
    branch: str | None
    scopes: list[str]
    token: str
    erased: bool = False


class RelationshipEvent(Answer):
    """An edge was added, removed, or given other metadata or another weight.

    A question to the graph with `token` shows it.
    """

    event: Literal["relationship.changed"]
    cursor: str
    source_id: str
    target_id: str
    type: str
    branch: str
    change: Literal["added", "updated", "removed"]
    token: str


AnyEvent = DocumentEvent | RelationshipEvent
