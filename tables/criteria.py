"""What is looked for among documents, page by page."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.inputs import DEFAULT_BRANCH

_BY_PLACE = "p"
_BY_ID = "d"


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which documents: by ids, else by slugs, else by type. A type also narrows the other two."""

    branch: str = DEFAULT_BRANCH
    ids: tuple[str, ...] | None = None
    slugs: tuple[str, ...] | None = None
    document_type: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page. `next_cursor` continues it, None at the end.

    By ids or slugs it keeps the request's order, by type the ids'; then a cursor holds for every
    partition.
    """

    document_ids: list[str]
    next_cursor: str | None


def place_cursor(place: int) -> str:
    """Continue a list of ids or slugs at this place."""
    return _opaque(f"{_BY_PLACE}{place}")


def id_cursor(document_id: str) -> str:
    """Continue after this document id."""
    return _opaque(f"{_BY_ID}{document_id}")


def read_place(cursor: str | None) -> int:
    """The inverse of `place_cursor`, 0 for none; InvalidInput for anything else."""
    place = _read(cursor, _BY_PLACE) or "0"
    if not (place.isascii() and place.isdigit()):
        raise _refusal()
    return int(place)


def read_id(cursor: str | None) -> str:
    """The inverse of `id_cursor`, '' for none; InvalidInput for anything else."""
    return _read(cursor, _BY_ID)


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
