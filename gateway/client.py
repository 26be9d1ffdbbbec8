"""The Python client: the calls of HTTP, typed and async."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from docreactor.gateway.answers import Document, Documents, Job, Models, Operations, Positions
from docreactor.gateway.connection import Connection, joined
from docreactor.gateway.requests import (
    DEFAULT_SCOPE,
    LIMIT_DEFAULT,
    TIMEOUT_DEFAULT_MS,
    ActionRequest,
)
from docreactor.pipeline.document import DEFAULT_BRANCH
from docreactor.pipeline.errors import DocumentNotFoundError
from docreactor.pipeline.ids import IdMinter

DEFAULT_URL = "http://127.0.0.1:8080"
RETRY_FOR_S = 30.0

Wait = Literal["write", "read"]
ActionLike = ActionRequest | Mapping[str, Any]
Tokens = str | Sequence[str] | None


class Reactor:
    """A deployment, by the URL of any of its nodes. Use it in `async with`.

    A problem document is raised as the error of its name. What may pass (no connection, 429, 503)
    is tried again for `retry_for_s`; a mutation carries an Idempotency-Key, so it is stored once.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        retry_for_s: float = RETRY_FOR_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = Connection(
            url, token=token, retry_for_s=retry_for_s, transport=transport
        )
        self._minter = IdMinter(lambda: time.time_ns() // 1_000_000, secrets.randbits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connection.close()

    async def create(
        self,
        document_type: str,
        *,
        id: str | None = None,
        slug: str | None = None,
        name: str | None = None,
        branch: str = DEFAULT_BRANCH,
        timestamp: str | None = None,
        initial_state: Mapping[str, Any] | None = None,
        meta: Mapping[str, Any] | None = None,
        wait: Wait | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
        idempotency_key: str | None = None,
    ) -> Job:
        """Create a document. With `wait`, a failure is raised and the job has got there."""
        given = {
            "document_type": document_type,
            "id": id,
            "slug": slug,
            "name": name,
            "branch": branch,
            "timestamp": timestamp,
            "initial_state": initial_state,
            "meta": meta,
        }
        return await self._connection.call(
            Job,
            "POST",
            "/v1/documents",
            parameters={"wait": wait, "timeout_ms": timeout_ms},
            body={field: value for field, value in given.items() if value is not None},
            key=idempotency_key or self._minter.mint(),
        )

    async def submit(
        self,
        document_id: str,
        actions: ActionLike | Sequence[ActionLike],
        *,
        branch: str = DEFAULT_BRANCH,
        expected_revision: int | None = None,
        wait: Wait | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
        idempotency_key: str | None = None,
    ) -> Job:
        """Submit actions of one scope: all of them or none.

        Those without an id are given one here, unless the request has a key of the caller's: the
        server then derives them from it.
        """
        if isinstance(actions, ActionRequest | Mapping):
            actions = [actions]
        asked = [_fields(action) for action in actions]
        if idempotency_key is None:
            asked = [{"id": self._minter.mint(), **action} for action in asked]
        body: dict[str, Any] = {"actions": asked, "branch": branch}
        if expected_revision is not None:
            body["expected_revision"] = expected_revision
        return await self._connection.call(
            Job,
            "POST",
            f"/v1/documents/{_segment(document_id)}/actions",
            parameters={"wait": wait, "timeout_ms": timeout_ms},
            body=body,
            key=idempotency_key or self._minter.mint(),
        )

    async def delete(
        self,
        document_id: str,
        *,
        branch: str = DEFAULT_BRANCH,
        wait: Wait | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
        idempotency_key: str | None = None,
    ) -> Job:
        """Delete a document. Its history stays readable."""
        return await self._connection.call(
            Job,
            "DELETE",
            f"/v1/documents/{_segment(document_id)}",
            parameters={"branch": branch, "wait": wait, "timeout_ms": timeout_ms},
            key=idempotency_key or self._minter.mint(),
        )

    async def job(self, job_id: str) -> Job:
        """What became of a job, also of a FAILED one."""
        return await self._connection.call(Job, "GET", f"/v1/jobs/{_segment(job_id)}")

    async def wait(
        self, job: Job | str, until: Wait = "read", *, timeout_ms: int = TIMEOUT_DEFAULT_MS
    ) -> Job:
        """The job once it got there or FAILED; JobNotReady when the time runs out."""
        job_id = job if isinstance(job, str) else job.id
        return await self._connection.call(
            Job,
            "GET",
            f"/v1/jobs/{_segment(job_id)}",
            parameters={"wait": until, "timeout_ms": timeout_ms},
        )

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
            f"/v1/documents/{_segment(identifier)}",
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
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        token: Tokens = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Operations:
        """A page of stored operations with index > `since`; `begin` and `end` are inclusive."""
        return await self._connection.call(
            Operations,
            "GET",
            f"/v1/documents/{_segment(document_id)}/operations",
            parameters={
                "branch": branch,
                "scope": scope,
                "since": since,
                "types": joined(types),
                "from": begin,
                "to": end,
                "limit": limit,
                "cursor": cursor,
                "token": joined(token),
                "timeout_ms": timeout_ms,
            },
        )

    async def positions(self) -> Positions:
        """How far every reducer and read model is."""
        return await self._connection.call(Positions, "GET", "/v1/positions")

    async def models(self) -> Models:
        """What the deployment can run."""
        return await self._connection.call(Models, "GET", "/v1/models")


def _fields(action: ActionLike) -> dict[str, Any]:
    if isinstance(action, ActionRequest):
        return action.model_dump(exclude_unset=True)
    return dict(action)


def _segment(text: str) -> str:
    return quote(text, safe="")
