"""Reading users' read models: the query, the answers, and the calls of the Python client."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from docreactor.gateway.answers import Answer
from docreactor.gateway.changes import segment
from docreactor.gateway.connection import Connection, joined
from docreactor.gateway.reading import Tokens
from docreactor.gateway.requests import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    TIMEOUT_DEFAULT_MS,
    TokenQuery,
)


class RowsQuery(TokenQuery):
    """Which rows: of one `key`, or all whose keys begin with `prefix`; without both, all.

    `document` narrows to the partition that keeps what is made of it.
    """

    key: str | None = None
    prefix: str | None = None
    document: str | None = None
    limit: int = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
    cursor: str | None = None


class KeptRow(Answer):
    """A row of one partition. What counts documents is to be added up over the partitions."""

    key: str
    value: Any
    partition: int


class KeptRows(Answer):
    """A page of rows, in the order of their keys, then of partitions."""

    rows: list[KeptRow]
    next_cursor: str | None


class KeptReadModel(Answer):
    """A read model of the deployment, and how far it is.

    `version` is that of the `generation` that is to serve. READ_READY waits for one that is
    `required`. `position` is the token of all that it shows; `lag` counts the records that it does
    not show yet, as far as is known. It answers from `serving` of `partitions`; `errors` says by
    partition what holds it up.
    """

    name: str
    version: int
    generation: int
    required: bool
    retired: bool
    position: str
    lag: int | None
    serving: int
    partitions: int
    errors: dict[str, str]


class KeptReadModels(Answer):
    """Every read model of the deployment, the platform's own among them."""

    read_models: list[KeptReadModel]
    next_cursor: str | None


class Rows:
    """What shows the rows of users' read models, each call at least as new as its `token`."""

    _connection: Connection

    async def rows(
        self,
        name: str,
        *,
        key: str | None = None,
        prefix: str | None = None,
        document: str | None = None,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> KeptRows:
        """A page of a read model's rows: of one key, or of all keys that begin with a prefix.

        Each partition keeps rows of its own, so a key may come once from each; `document` narrows
        to the partition that keeps what is made of it.
        """
        return await self._connection.call(
            KeptRows,
            "GET",
            f"/v1/read-models/{segment(name)}/rows",
            parameters={
                "key": key,
                "prefix": prefix,
                "document": document,
                "limit": limit,
                "cursor": cursor,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )

    async def read_models(self) -> KeptReadModels:
        """Every read model, its version and generation, and how far it is."""
        return await self._connection.call(KeptReadModels, "GET", "/v1/read-models")
