"""What callers send to wait for positions: tokens, and the places of operations."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictInt

from docreactor.gateway.requests import (
    DEFAULT_SCOPE,
    TIMEOUT_DEFAULT_MS,
    TIMEOUT_MAX_MS,
    Request,
)
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.keys import Stream

COUNT_MAX = 1_000


class Coordinate(Request):
    """The place of one operation: which one, counted from 0, of which stream."""

    document_id: str
    scope: str = DEFAULT_SCOPE
    branch: str = DEFAULT_BRANCH
    operation_index: Annotated[StrictInt, Field(ge=0)]

    @property
    def stream(self) -> Stream:
        """The stream that it is of."""
        return Stream(self.document_id, self.scope, self.branch)

    def __str__(self) -> str:
        return f"{self.stream.prefix}{self.operation_index}"


def _listed(value: Any) -> Any:
    """One alone needs no list."""
    return [value] if isinstance(value, str) else value


def _no_coordinates() -> list[Coordinate]:
    return []


Coordinates = Annotated[list[Coordinate], Field(max_length=COUNT_MAX)]
SeveralTokens = Annotated[list[str], BeforeValidator(_listed), Field(max_length=COUNT_MAX)]


class ResolveRequest(Request):
    """Which operations must be stored, and how long that may take."""

    coordinates: Coordinates
    timeout_ms: int = Field(default=TIMEOUT_DEFAULT_MS, ge=0, le=TIMEOUT_MAX_MS)


class PositionRequest(Request):
    """What must be shown, all of it: by tokens and by coordinates.

    `model` is the read model that must show it; null stands for every required one.
    """

    token: SeveralTokens = Field(default_factory=list)
    coordinates: Coordinates = Field(default_factory=_no_coordinates)
    model: str | None = None
    timeout_ms: int = Field(default=TIMEOUT_DEFAULT_MS, ge=0, le=TIMEOUT_MAX_MS)


class PositionsQuery(Request):
    """Which rows; all unless told otherwise."""

    model: str | None = None
    partition: int | None = Field(default=None, ge=0)
