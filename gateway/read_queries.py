"""What callers ask of documents: queries, which refuse what they do not know."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from docreactor.gateway.requests import (
    DEFAULT_SCOPE,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    PageQuery,
    ReadQuery,
    Several,
    SeveralSlugs,
    TokenQuery,
)
from docreactor.tables.criteria import Life, Order

IDS_MAX = LIMIT_MAX


def _flag(value: object) -> object:
    """A flag that is named without a value is set."""
    return True if value == "" else value


Flag = Annotated[bool, BeforeValidator(_flag)]


class ShownQuery(ReadQuery):
    """What is shown of a document: all scopes, or `scopes` and `document`, or its header alone."""

    scopes: Several = Field(default_factory=list)
    header_only: Flag = False


class DocumentQuery(ShownQuery):
    """One document; with `at=<scope>:<index>` the state after that index.

    `by` says whether the path holds an id or a slug; without, it may be either.
    `include_deleted` shows a deleted document as it was last.
    """

    at: str | None = None
    by: Literal["id", "slug"] | None = None
    include_deleted: Flag = False


class FindQuery(PageQuery, ShownQuery):
    """By `ids`, else by `slugs`, else the children of a `parent`, else all of a `type`.

    A `type` narrows the first three as well. `order` is that of a type's list.
    """

    ids: Several = Field(default_factory=list)
    slugs: SeveralSlugs = Field(default_factory=list)
    parent: str | None = None
    type: str | None = None
    order: Order = Order.ID
    include_deleted: Flag = False
    deleted: Flag = False

    @property
    def life(self) -> Life:
        """Whether the living are asked for, the deleted, or both."""
        if self.deleted:
            return Life.DELETED
        return Life.EITHER if self.include_deleted else Life.LIVING


class ExistsQuery(ReadQuery):
    """Which documents."""

    ids: Several = Field(default_factory=list)


class BranchesQuery(TokenQuery):
    """A page of a document's branches."""

    limit: int = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
    cursor: str | None = None


class SlugsQuery(PageQuery):
    """These `slugs`, in the order asked; without any, all that are claimed.

    `contested` leaves out those that one document alone claims.
    """

    slugs: SeveralSlugs = Field(default_factory=list)
    contested: Flag = False


class HistoryQuery(PageQuery):
    """Operations of one scope with index > `since`; `from` and `to` are inclusive times.

    `effective` leaves out those that a later one supersedes.
    """

    scope: str = DEFAULT_SCOPE
    since: int = Field(default=-1, ge=-1)
    types: Several = Field(default_factory=list)
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    effective: bool = False
