"""The calls of the Python client that show documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from docreactor.gateway.answers import (
    Branches,
    Document,
    Documents,
    Exists,
    Operations,
    Slugs,
)
from docreactor.gateway.changes import segment
from docreactor.gateway.connection import Connection, joined
from docreactor.gateway.parts import parts_of
from docreactor.gateway.requests import (
    DEFAULT_SCOPE,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    TIMEOUT_DEFAULT_MS,
)
from docreactor.pipeline.errors import DocumentNotFoundError
from docreactor.pipeline.inputs import DEFAULT_BRANCH

Tokens = str | Sequence[str] | None
OrderName = Literal["id", "updated", "-updated"]


class Reading:
    """What shows documents, each call at least as new as its `token`."""

    _connection: Connection

    async def get(
        self,
        identifier: str,
        *,
        by: Literal["id", "slug"] | None = None,
        branch: str = DEFAULT_BRANCH,
        scopes: Sequence[str] | None = None,
        at: str | None = None,
        header_only: bool = False,
        include_deleted: bool = False,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Document:
        """A document by its id or slug; with `at="scope:index"` the state after that index.

        `by` says which of the two it is, which is quicker for an id. A deleted document is
        DocumentDeleted, or with `include_deleted` shown as it was last.
        """
        if "/" in identifier and by != "id":
            slug = identifier
            found = await self.resolve_slug(slug, branch=branch, token=token, timeout_ms=timeout_ms)
            if found is None:
                raise DocumentNotFoundError(slug, branch)
            identifier, by = found, "id"
        return await self._connection.call(
            Document,
            "GET",
            f"/v1/documents/{segment(identifier)}",
            parameters={
                "by": by,
                "branch": branch,
                "scopes": joined(scopes),
                "at": at,
                "header_only": _flag(header_only),
                "include_deleted": _flag(include_deleted),
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )

    async def exists(
        self,
        ids: Sequence[str],
        *,
        branch: str = DEFAULT_BRANCH,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> list[bool]:
        """For each of the ids, in their order, whether there is such a document; not once deleted.

        Very many ids are asked for one part after another.
        """
        exist: list[bool] = []
        for some in parts_of(ids):
            answer = await self._connection.call(
                Exists,
                "GET",
                "/v1/exists",
                parameters={
                    "ids": joined(some),
                    "branch": branch,
                    "token": joined(token),
                    "timeout_ms": timeout_ms,
                },
            )
            exist += answer.exists
        return exist

    async def get_many(
        self,
        ids: Sequence[str],
        *,
        branch: str = DEFAULT_BRANCH,
        scopes: Sequence[str] | None = None,
        header_only: bool = False,
        include_deleted: bool = False,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> list[Document]:
        """The documents of these ids in their order, one asked for twice twice.

        Those that there are not, or that were deleted, are left out. Very many are asked for one
        part after another.
        """
        found: dict[str, Document] = {}
        for some in parts_of(list(dict.fromkeys(ids))):
            page = await self.find(
                ids=some,
                branch=branch,
                scopes=scopes,
                header_only=header_only,
                include_deleted=include_deleted,
                limit=LIMIT_MAX,
                token=token,
                timeout_ms=timeout_ms,
            )
            found |= {document.header.id: document for document in page.documents}
        return [found[one] for one in ids if one in found]

    async def find(
        self,
        *,
        ids: Sequence[str] | None = None,
        slugs: Sequence[str] | None = None,
        parent: str | None = None,
        type: str | None = None,
        order: OrderName | None = None,
        branch: str = DEFAULT_BRANCH,
        scopes: Sequence[str] | None = None,
        header_only: bool = False,
        include_deleted: bool = False,
        deleted: bool = False,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Documents:
        """A page of documents by id, else by slug, else of a parent's children, else of a type.

        A type beside the first three narrows their page. `order` is that of a type's list: by id,
        or those `updated` last first, or the other way round. Deleted ones are left out unless
        `include_deleted`; `deleted` shows them alone.
        """
        return await self._connection.call(
            Documents,
            "GET",
            "/v1/documents",
            parameters={
                "ids": joined(ids),
                "slugs": joined(slugs),
                "parent": parent,
                "type": type,
                "order": order,
                "branch": branch,
                "scopes": joined(scopes),
                "header_only": _flag(header_only),
                "include_deleted": _flag(include_deleted),
                "deleted": _flag(deleted),
                "limit": limit,
                "cursor": cursor,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )

    async def branches(
        self,
        document_id: str,
        *,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Branches:
        """A page of the headers that a document has, one for each branch, where deleted too."""
        return await self._connection.call(
            Branches,
            "GET",
            f"/v1/documents/{segment(document_id)}/branches",
            parameters={
                "limit": limit,
                "cursor": cursor,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )

    async def slugs(
        self,
        slugs: Sequence[str] | None = None,
        *,
        contested: bool = False,
        branch: str = DEFAULT_BRANCH,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Slugs:
        """A page of slugs with the document of each, and who else claims it; of none given, of all.

        With `contested` only those that several claim.
        """
        if slugs is not None and not slugs:
            return Slugs(slugs=[], next_cursor=None)
        return await self._connection.call(
            Slugs,
            "GET",
            "/v1/slugs",
            parameters={
                "slugs": joined(slugs),
                "contested": _flag(contested),
                "branch": branch,
                "limit": limit,
                "cursor": cursor,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )

    async def resolve_slug(
        self,
        slug: str,
        *,
        branch: str = DEFAULT_BRANCH,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> str | None:
        """The id of the document that a slug stands for; None when nobody claims it."""
        page = await self.slugs([slug], branch=branch, token=token, timeout_ms=timeout_ms)
        # Of a slug with commas the parts are looked up as well.
        return next((one.document_id for one in page.slugs if one.slug == slug), None)

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
                "effective": _flag(effective),
                "limit": limit,
                "cursor": cursor,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )


def _flag(is_set: bool) -> str | None:
    return "true" if is_set else None
