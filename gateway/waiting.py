"""The calls of the Python client that wait: for jobs, and until reads show what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from docreactor.gateway.answers import Job, Positions, Token, Visible
from docreactor.gateway.changes import Until, segment
from docreactor.gateway.connection import Connection, joined
from docreactor.gateway.coordinates import Coordinate
from docreactor.gateway.reading import Tokens
from docreactor.gateway.requests import TIMEOUT_DEFAULT_MS

CoordinateLike = Coordinate | Mapping[str, Any]


class Waiting:
    """What tells how far things are. Whoever cancels one waiter ends that one alone."""

    _connection: Connection

    async def job(self, job_id: str) -> Job:
        """What became of a job, also of a FAILED one."""
        return await self._connection.call(Job, "GET", f"/v1/jobs/{segment(job_id)}")

    async def wait(
        self, job: Job | str, until: Until = "read", *, timeout_ms: int = TIMEOUT_DEFAULT_MS
    ) -> Job:
        """The job once it got there or FAILED; JobNotReady when the time runs out.

        Any number may wait for one job. Closing the client ends them with ClientClosed.
        """
        job_id = job if isinstance(job, str) else job.id
        return await self._connection.call(
            Job,
            "GET",
            f"/v1/jobs/{segment(job_id)}",
            parameters={"wait": until, "timeout_ms": timeout_ms},
        )

    async def wait_for(
        self,
        token: Tokens = None,
        *,
        coordinates: CoordinateLike | Sequence[CoordinateLike] = (),
        model: str | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Visible:
        """Return once reads show all that the tokens and the coordinates name, or NotYetVisible.

        With `model` reads of that read model alone: `documents`, `graph` on the node that is
        asked, or another by its name. Without, every required one.
        """
        return await self._connection.call(
            Visible,
            "POST",
            "/v1/positions/wait",
            body={
                "token": joined(token) or [],
                "coordinates": _listed(coordinates),
                "model": model,
                "timeout_ms": timeout_ms,
            },
        )

    async def resolve(
        self,
        coordinates: CoordinateLike | Sequence[CoordinateLike],
        *,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> str:
        """The token of operations by their places, once they are stored; NotYetVisible before.

        It may ask for more than these operations: for all that was stored when it was answered.
        """
        body = {"coordinates": _listed(coordinates), "timeout_ms": timeout_ms}
        path = "/v1/positions/resolve"
        return (await self._connection.call(Token, "POST", path, body=body)).token

    async def positions(
        self, *, model: str | None = None, partition: int | None = None
    ) -> Positions:
        """How far every reducer and read model is, or this model in this partition alone."""
        return await self._connection.call(
            Positions,
            "GET",
            "/v1/positions",
            parameters={"model": model, "partition": partition},
        )


def _listed(coordinates: CoordinateLike | Sequence[CoordinateLike]) -> list[dict[str, Any]]:
    if isinstance(coordinates, Coordinate | Mapping):
        coordinates = [coordinates]
    return [one.model_dump() if isinstance(one, Coordinate) else dict(one) for one in coordinates]
