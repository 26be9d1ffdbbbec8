"""The calls of the Python client that show documents."""

from __future__ import annotations

from collections.abc import Sequence

from docreactor.gateway.answers import Document, Documents, Operations
from docreactor.gateway.changes import segment
from docreactor.gateway.connection import Connection, joined
from docreactor.gateway.requests import DEFAULT_SCOPE, LIMIT_DEFAULT, TIMEOUT_DEFAULT_MS
from docreactor.pipeline.errors import DocumentNotFoundError
from docreactor.pipeline.inputs import DEFAULT_BRANCH

Tokens = str | Sequence[str] | None


class Reading:
    """What shows documents, each call at least as new as its `token`."""

    _connection: Connection

    async def get(
        self,
        identifier: str,
        *,
        branch: str = DEFAULT_BRANCH,
        scopes: Sequence[str] | None = None,
        at: str | None = None,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Document:
        """A document by its id or slug; with `at="scope:index"` the state after that index."""
        if "/" in identifier:
            identifier = await self._id_of(identifier, branch, token, timeout_ms)
        return await self._connection.call(
            Document,
            "GET",
            f"/v1/documents/{segment(identifier)}",
            parameters={
                "branch": branch,
                "scopes": joined(scopes),
                "at": at,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )

    async def _id_of(self, slug: str, branch: str, token: Tokens, timeout_ms: int) -> str:
        """A slug with a slash fits into no path."""
        page = await self.find(slugs=[slug], branch=branch, token=token, timeout_ms=timeout_ms)
        if not page.documents:
            raise DocumentNotFoundError(slug, branch)
        return page.documents[0].header.id

    async def find(
        self,
        *,
        ids: Sequence[str] | None = None,
        slugs: Sequence[str] | None = None,
        type: str | None = None,
        branch: str = DEFAULT_BRANCH,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Documents:
        """A page of documents by id, by slug or of a type; deleted ones are left out."""
        return await self._connection.call(
            Documents,
            "GET",
            "/v1/documents",
            parameters={
                "ids": joined(ids),
                "slugs": joined(slugs),
                "type": type,
                "branch": branch,
                "limit": limit,
                "cursor": cursor,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )

    async def history(
        self,
        document_id: str,
        *,
        branch: str = DEFAULT_BRANCH,
        scope: str = DEFAULT_SCOPE,
        since: int = -1,
        types: Sequence[str] | None = None,
        begin: str | None = None,
        end: str | None = None,
        effective: bool = False,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Operations:
        """A page of stored operations with index > `since`; `begin` and `end` are inclusive.

        With `effective` only those that no later one supersedes.
        """
        return await self._connection.call(
            Operations,
            "GET",
            f"/v1/documents/{segment(document_id)}/operations",
            parameters={
                "branch": branch,
                "scope": scope,
                "since": since,
                "types": joined(types),
                "from": begin,
                "to": end,
                "effective": "true" if effective else None,
                "limit": limit,
                "cursor": cursor,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )
