"""One page of edges, and the cursor that continues it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from docreactor.pipeline.edge import Edge
from docreactor.pipeline.errors import InvalidInputError

_SEPARATOR = "\0"


@dataclass(frozen=True, slots=True)
class EdgePage:
    """Edges in the order of their time, then of the other end, then of their type.

    `next_cursor` continues them, None at the end.
    """

    edges: list[Edge]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class IdPage:
    """Documents. `next_cursor` continues them, None at the end."""

    ids: list[str]
    next_cursor: str | None


def write_cursor(kind: str, parts: Sequence[str]) -> str:
    """The cursor that continues a list of some kind after what these parts name."""
    text = _SEPARATOR.join((kind, *parts))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, kind: str, count: int) -> list[str]:
    """The inverse of `write_cursor`; InvalidInput for anything else."""
    try:
        found, *parts = urlsafe_b64decode(cursor.encode() + b"==").decode().split(_SEPARATOR)
    except ValueError as cause:
        raise refusal() from cause
    if found != kind or len(parts) != count:
        raise refusal()
    return parts


def refusal() -> InvalidInputError:
    """What a cursor of something else gets."""
    return InvalidInputError("cursor", "must be one that a reply to this very request gave")
