"""The calls of the Python client that look after a deployment and what it stores."""

from __future__ import annotations

from docreactor.gateway.answers import Health, Keyframed, Models, Verified
from docreactor.gateway.changes import segment
from docreactor.gateway.connection import Connection
from docreactor.gateway.requests import LIMIT_DEFAULT, TIMEOUT_MAX_MS


class Tending:
    """What tells of a deployment, and what compares and mends."""

    _connection: Connection

    async def models(self) -> Models:
        """What the deployment can run."""
        return await self._connection.call(Models, "GET", "/v1/models")

    async def health(self) -> Health:
        """Where each partition of the node that is asked stands, and what holds it up."""
        return await self._connection.call(Health, "GET", "/healthz")

    async def readiness(self) -> Health:
        """As `health`, once every partition of that node serves; Restoring while one does not."""
        return await self._connection.call(Health, "GET", "/readyz")

    async def metrics(self) -> str:
        """The figures of the node that is asked, as Prometheus reads them."""
        return await self._connection.text("/metrics")

    async def verify(
        self, document_id: str, *, accept: bool = False, timeout_ms: int = TIMEOUT_MAX_MS
    ) -> Verified:
        """Compare a document's operations with all that was made of them.

        With `accept`, take what the present model gives where only recorded hashes differ.
        """
        return await self._connection.call(
            Verified,
            "POST",
            f"/v1/documents/{segment(document_id)}/verify",
            parameters={"accept": str(accept).lower(), "timeout_ms": timeout_ms},
        )

    async def verify_partition(
        self,
        partition: int,
        *,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        accept: bool = False,
        timeout_ms: int = TIMEOUT_MAX_MS,
    ) -> Verified:
        """As `verify`, for a page of a partition's documents."""
        return await self._connection.call(
            Verified,
            "POST",
            "/v1/verify",
            parameters={
                "accept": str(accept).lower(),
                "partition": partition,
                "limit": limit,
                "cursor": cursor,
                "timeout_ms": timeout_ms,
            },
        )

    async def make_keyframes(
        self, document_id: str, *, timeout_ms: int = TIMEOUT_MAX_MS
    ) -> Keyframed:
        """Remove a document's keyframes, and make them again."""
        return await self._connection.call(
            Keyframed,
            "POST",
            f"/v1/documents/{segment(document_id)}/keyframes",
            parameters={"timeout_ms": timeout_ms},
        )

    async def make_keyframes_of_partition(
        self,
        partition: int,
        *,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        timeout_ms: int = TIMEOUT_MAX_MS,
    ) -> Keyframed:
        """As `make_keyframes`, for a page of a partition's documents."""
        return await self._connection.call(
            Keyframed,
            "POST",
            "/v1/keyframes",
            parameters={
                "partition": partition,
                "limit": limit,
                "cursor": cursor,
                "timeout_ms": timeout_ms,
            },
        )
