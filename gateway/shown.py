"""A document as HTTP answers it: from the view, or as it was at one of its indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import orjson

from docreactor.agents.live import LivePartition
from docreactor.gateway.reach import Item
from docreactor.gateway.refusal import error_of
from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    DocumentDeletedError,
    DocumentErasedError,
    DocumentNotFoundError,
    InvalidInputError,
    ReactorError,
)
from docreactor.pipeline.ids import check_name
from docreactor.pipeline.keys import Stream
from docreactor.tables import fields
from docreactor.tables.header import Header


@dataclass(frozen=True, slots=True)
class At:
    """One index of one scope."""

    scope: str
    index: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<scope>:<index>`, or InvalidInput."""
        scope, _, index = text.rpartition(":")
        if not (index.isascii() and index.isdigit()):
            raise InvalidInputError("at", "must be <scope>:<index>, for example global:3")
        return cls(check_name(scope, field="at"), int(index))


def shown(
    live: LivePartition, document_id: str, branch: str, scopes: Sequence[str] | None = None
) -> Item | None:
    """The document as the view shows it; None when it does not."""
    document = live.documents.document(document_id, branch, scopes)
    if document is None:
        return None
    return {
        "header": document.header.json,
        "state": document.state,
        "position": live.view_position().token,
    }


def shown_now(
    live: LivePartition, document_id: str, branch: str, scopes: Sequence[str] | None
) -> Item:
    """As `shown`, or why not.

    DocumentNotFound, DocumentErased, DocumentDeleted, or why the view set the document aside.
    """
    problem = live.documents.quarantine_of(document_id)
    if problem is not None:
        raise error_of(problem)
    item = shown(live, document_id, branch, scopes)
    if item is None:
        raise missing(live, document_id, branch)
    state = item["state"][DOCUMENT_SCOPE]
    if state.get("is_deleted"):
        raise DocumentDeletedError(document_id, state["deleted_at"])
    return item


def missing(live: LivePartition, document_id: str, branch: str) -> ReactorError:
    """Why there is no such document: it was erased, or it never was."""
    erased = live.operations.erased(document_id)
    if erased is not None:
        return DocumentErasedError(document_id, erased.erased_at)
    return DocumentNotFoundError(document_id, branch)


async def shown_at(live: LivePartition, document_id: str, branch: str, at: At) -> Item:
    """The state of one scope right after one of its operations, of a deleted document too.

    DocumentNotFound, DocumentErased, or RevisionNotFound naming the head.
    """
    if live.operations.head(Stream(document_id, DOCUMENT_SCOPE, branch)) is None:
        raise missing(live, document_id, branch)
    stream = Stream(document_id, at.scope, branch)
    state = await live.cache.get(stream, at.index)
    home = state
    if at.scope != DOCUMENT_SCOPE:
        home = await live.cache.get(Stream(document_id, DOCUMENT_SCOPE, branch))
    document: Document = home.state
    content = live.operations.get(stream, at.index)
    if content is None:
        raise CorruptHistoryError(f"{stream.prefix}{at.index}: the operation is missing")
    changed_at = fields.timestamp(content).decode()
    return {
        "header": Header(document, {at.scope: at.index + 1}, changed_at).json,
        "state": {at.scope: orjson.Fragment(state.content)},
        "position": live.operations_position().token,
    }
