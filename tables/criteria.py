"""What is looked for among documents of a type, page by page."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from docreactor.pipeline.errors import InvalidInputError, ReactorError
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.timestamp import parse, render

_BY_PLACE = "p"
_BY_ID = "d"
_BY_SLUG = "s"
_TIME_CHARACTERS = len("2000-01-01T00:00:00.000000Z")


class Place(NamedTuple):
    """Where a document stands in a list."""

    document_id: str
    last_modified_at: str


class Order(StrEnum):
    """In which order a type is listed: by id, or by the time of the last change, then by id."""

    ID = "id"
    NEWEST = "updated"
    OLDEST = "-updated"

    @property
    def is_reversed(self) -> bool:
        """Whether the greatest `key` comes first."""
        return self is Order.NEWEST

    def key(self, place: Place) -> tuple[str, str]:
        """What places are compared by."""
        since = "" if self is Order.ID else place.last_modified_at
        return since, place.document_id

    def is_after(self, place: Place, other: Place) -> bool:
        """Whether a place comes later in a list than another."""
        if self.is_reversed:
            return self.key(place) < self.key(other)
        return self.key(place) > self.key(other)


class Life(StrEnum):
    """Which documents are meant."""

    LIVING = "living"
    DELETED = "deleted"
    EITHER = "either"

    def means(self, *, is_deleted: bool) -> bool:
        """Whether such a document is meant."""
        return self is Life.EITHER or is_deleted is (self is Life.DELETED)


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which documents of one type and branch, and in which order."""

    document_type: str
    branch: str = DEFAULT_BRANCH
    life: Life = Life.LIVING
    order: Order = Order.ID


_LISTS = {Order.NEWEST: "n", Order.OLDEST: "o"}


def listing_cursor(order: Order, place: Place) -> str:
    """Continue a list after this place. It holds for every partition."""
    if order is Order.ID:
        return id_cursor(place.document_id)
    return _opaque(f"{_LISTS[order]}{place.last_modified_at}{place.document_id}")


def read_listing(order: Order, cursor: str | None) -> Place | None:
    """The inverse of `listing_cursor`, None for none; InvalidInput for that of another order."""
    if cursor is None:
        return None
    if order is Order.ID:
        return Place(read_id(cursor), "")
    text = _read(cursor, _LISTS[order])
    since, document_id = text[:_TIME_CHARACTERS], text[_TIME_CHARACTERS:]
    try:
        is_time = render(parse(since)) == since
    except ReactorError as cause:
        raise _refusal() from cause
    if not is_time:
        raise _refusal()
    return Place(document_id, since)


def place_cursor(place: int) -> str:
    """Continue a list of names at this place."""
    return _opaque(f"{_BY_PLACE}{place}")


def read_place(cursor: str | None) -> int:
    """The inverse of `place_cursor`, 0 for none; InvalidInput for anything else."""
    place = _read(cursor, _BY_PLACE) or "0"
    if not (place.isascii() and place.isdigit()):
        raise _refusal()
    return int(place)


def id_cursor(document_id: str) -> str:
    """Continue a list of ids, or of branches, after this one."""
    return _opaque(f"{_BY_ID}{document_id}")


def read_id(cursor: str | None) -> str:
    """The inverse of `id_cursor`, '' for none; InvalidInput for anything else."""
    return _read(cursor, _BY_ID)


def slug_cursor(slug: str) -> str:
    """Continue a list of slugs after this one."""
    return _opaque(f"{_BY_SLUG}{slug}")


def read_slug(cursor: str | None) -> str:
    """The inverse of `slug_cursor`, '' for none; InvalidInput for anything else."""
    return _read(cursor, _BY_SLUG)


def _opaque(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str | None, kind: str) -> str:
    if cursor is None:
        return ""
    try:
        text = urlsafe_b64decode(cursor.encode() + b"==").decode()
    except ValueError as cause:
        raise _refusal() from cause
    if not text.startswith(kind):
        raise _refusal()
    return text[len(kind) :]


def _refusal() -> InvalidInputError:
    return InvalidInputError("cursor", "must be one that a reply to this very request gave")
