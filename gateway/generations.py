"""The shapes of calls that look after read models: their generations, and what they set aside."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from docreactor.gateway.answers import Answer
from docreactor.gateway.requests import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    TIMEOUT_DEFAULT_MS,
    TIMEOUT_MAX_MS,
    Request,
)

BEGINNING = "beginning"


class RebuildRequest(Request):
    """Where the new generation begins: `beginning`, a time, or a position's token."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: str = Field(default=BEGINNING, alias="from")


class ReplayQuery(Request):
    """Which records of a partition of `operations` a platform's read model is shown again."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    partition: int = Field(ge=0)
    from_: str = Field(default=BEGINNING, alias="from")
    limit: int = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
    cursor: str | None = Field(default=None, pattern=r"^\d{1,19}$")
    timeout_ms: int = Field(default=TIMEOUT_DEFAULT_MS, ge=0, le=TIMEOUT_MAX_MS)


class QuarantineQuery(Request):
    """Of which read model; of every one without."""

    model: str | None = None


class Generations(Answer):
    """A read model's generations: the one that is to serve, the versions of those that are kept."""

    name: str
    generation: int
    versions: dict[str, int]
    required: bool
    retired: bool


class Replayed(Answer):
    """How many documents were derived anew."""

    documents: int
    next_cursor: str | None


class SetAside(Answer):
    """A document that a read model could not apply, and why: `problem` is a problem document."""

    model: str
    document_id: str
    problem: dict[str, Any]


class Quarantine(Answer):
    """Every document that was set aside."""

    documents: list[SetAside]
    next_cursor: str | None
