"""The calls of the Python client that look after read models."""

from __future__ import annotations

from docreactor.gateway.changes import segment
from docreactor.gateway.connection import Connection
from docreactor.gateway.generations import BEGINNING, Generations, Quarantine, Replayed
from docreactor.gateway.requests import LIMIT_DEFAULT, TIMEOUT_MAX_MS


class Rebuilding:
    """What rebuilds read models, puts them back, retires them, and takes documents back."""

    _connection: Connection

    async def rebuild(self, name: str, *, begin: str = BEGINNING) -> Generations:
        """Build a generation of a read model beside the one that serves, and have it serve.

        `begin` may be a time or a position's token for a read model of yours.
        """
        path = f"/v1/read-models/{segment(name)}/rebuild"
        return await self._connection.call(Generations, "POST", path, body={"from": begin})

    async def roll_back(self, name: str) -> Generations:
        """Have the generation before serve again; NothingToRollBack where none is kept."""
        return await self._govern(name, "roll-back")

    async def finish(self, name: str) -> Generations:
        """Drop every generation but the one that is to serve."""
        return await self._govern(name, "finish")

    async def retire(self, name: str) -> Generations:
        """Keep a read model no more, and have READ_READY wait for it no more."""
        return await self._govern(name, "retire")

    async def revive(self, name: str) -> Generations:
        """Keep a retired read model again."""
        return await self._govern(name, "revive")

    async def replay_partition(
        self,
        name: str,
        partition: int,
        *,
        begin: str = BEGINNING,
        limit: int = LIMIT_DEFAULT,
        cursor: str | None = None,
        timeout_ms: int = TIMEOUT_MAX_MS,
    ) -> Replayed:
        """Derive anew what a page of a partition's records from `begin` on is about."""
        return await self._connection.call(
            Replayed,
            "POST",
            f"/v1/read-models/{segment(name)}/replay",
            parameters={
                "partition": partition,
                "from": begin,
                "limit": limit,
                "cursor": cursor,
                "timeout_ms": timeout_ms,
            },
        )

    async def quarantine(self, model: str | None = None) -> Quarantine:
        """Every document that a read model has set aside."""
        return await self._connection.call(
            Quarantine, "GET", "/v1/quarantine", parameters={"model": model}
        )

    async def retry_quarantined(self, model: str, document_id: str) -> Quarantine:
        """Derive a document anew in a read model; answers what is set aside of it then."""
        path = f"/v1/quarantine/{segment(model)}/{segment(document_id)}/retry"
        return await self._connection.call(Quarantine, "POST", path)

    async def clear_quarantined(self, model: str, document_id: str) -> Quarantine:
        """Go on with a document as it was left in a read model."""
        path = f"/v1/quarantine/{segment(model)}/{segment(document_id)}/clear"
        return await self._connection.call(Quarantine, "POST", path)

    async def _govern(self, name: str, verb: str) -> Generations:
        path = f"/v1/read-models/{segment(name)}/{verb}"
        return await self._connection.call(Generations, "POST", path)
