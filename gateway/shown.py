"""A document as HTTP answers it: from the view, or as it was at one of its indexes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import orjson

from docreactor.agents.live import LivePartition
from docreactor.gateway.reach import Item
from docreactor.gateway.read_queries import ShownQuery
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
from docreactor.pipeline.header import newest
from docreactor.pipeline.ids import check_name
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.keys import Stream
from docreactor.tables import fields
from docreactor.tables.criteria import Life
from docreactor.tables.header import Header, ShownDocument


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


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of which documents is shown: the scopes named, or all that there are, or no state."""

    branch: str = DEFAULT_BRANCH
    scopes: tuple[str, ...] | None = None
    is_header_only: bool = False
    life: Life = Life.LIVING

    @classmethod
    def of(cls, query: ShownQuery, life: Life) -> Self:
        """The query, checked: InvalidInput."""
        check_name(query.branch, field="branch")
        for scope in query.scopes:
            check_name(scope, field="scopes")
        if query.header_only and query.scopes:
            raise InvalidInputError("scopes", "cannot be asked for together with header_only")
        return cls(query.branch, tuple(query.scopes) or None, query.header_only, life)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The same as another node is asked it."""
        given = [("branch", self.branch)]
        given += [("scopes", scope) for scope in self.scopes or ()]
        if self.is_header_only:
            given.append(("header_only", "true"))
        if self.life is not Life.LIVING:
            name = "deleted" if self.life is Life.DELETED else "include_deleted"
            given.append((name, "true"))
        return given


def shown(live: LivePartition, document_id: str, excerpt: Excerpt) -> Item | None:
    """The document as the view shows it; None when it does not.

    One that was set aside comes with its `problem`: it is shown as it was before that.
    """
    table = live.documents
    if excerpt.is_header_only:
        header = table.header(document_id, excerpt.branch)
        document = None if header is None else ShownDocument(header, {})
    else:
        document = table.document(document_id, excerpt.branch, excerpt.scopes)
    if document is None:
        return None
    if not excerpt.life.means(is_deleted=document.header.document.is_deleted):
        return None
    item: Item = {
        "header": document.header.json,
        "state": document.state,
        "position": live.view_position().token,
    }
    problem = table.quarantine_of(document_id)
    if problem is not None:
        item["problem"] = problem
    return item


def shown_now(live: LivePartition, document_id: str, excerpt: Excerpt) -> Item:
    """As `shown`, or why not.

    DocumentNotFound, DocumentErased, DocumentDeleted, or why the view set the document aside.
    """
    problem = live.documents.quarantine_of(document_id)
    if problem is not None:
        raise error_of(problem)
    item = shown(live, document_id, replace(excerpt, life=Life.EITHER))
    if item is None:
        raise missing(live, document_id, excerpt.branch)
    header = item["header"]
    if not excerpt.life.means(is_deleted=header["is_deleted"]):
        raise DocumentDeletedError(document_id, header["deleted_at"])
    return item


def missing(live: LivePartition, document_id: str, branch: str) -> ReactorError:
    """Why there is no such document: it was erased, or it never was."""
    erased = live.operations.erased(document_id)
    if erased is not None:
        return DocumentErasedError(document_id, erased.erased_at)
    return DocumentNotFoundError(document_id, branch)


async def shown_at(live: LivePartition, document_id: str, excerpt: Excerpt, at: At) -> Item:
    """The state of one scope right after one of its operations, of a deleted document too.

    Of the header `revision`, `last_modified_at` and what that scope says of it are of then.
    DocumentNotFound, DocumentErased, or RevisionNotFound naming the head.
    """
    branch = excerpt.branch
    if live.operations.head(Stream(document_id, DOCUMENT_SCOPE, branch)) is None:
        raise missing(live, document_id, branch)
    stream = Stream(document_id, at.scope, branch)
    state = home = await live.cache.get(stream, at.index)
    if at.scope != DOCUMENT_SCOPE:
        home = await live.cache.get(Stream(document_id, DOCUMENT_SCOPE, branch))
    document: Document = home.state
    content = live.operations.get(stream, at.index)
    if content is None:
        raise CorruptHistoryError(f"{stream.prefix}{at.index}: the operation is missing")
    changed_at = fields.timestamp(content).decode()
    facts = newest([home.facts, state.facts])
    states = {} if excerpt.is_header_only else {at.scope: orjson.Fragment(state.content)}
    return {
        "header": Header(document, {at.scope: at.index + 1}, changed_at, facts).json,
        "state": states,
        "position": live.operations_position().token,
    }
