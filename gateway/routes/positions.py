"""The calls about positions: how far everything is, and waiting until it is further."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.gateway.answers import Positions, Token, Visible
from docreactor.gateway.attendance import attended
from docreactor.gateway.body import parse_body, read_body
from docreactor.gateway.coordinates import PositionRequest, PositionsQuery, ResolveRequest
from docreactor.gateway.demand import merged
from docreactor.gateway.openapi import body_of, replies
from docreactor.gateway.patience import now_s
from docreactor.gateway.reach import Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.resolving import PATH, Resolver
from docreactor.pipeline.position import Position

GRAPH = "graph"
"""What is waited for in the graph of the node that is asked; the other models are everywhere's."""


class PositionRoutes:
    """GET /v1/positions, POST /v1/positions/wait and /v1/positions/resolve."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node
        self._resolver = Resolver(reach)

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        app.add_api_route(
            "/v1/positions",
            self.positions,
            methods=["GET"],
            response_model=None,
            tags=["positions"],
            responses=replies({200: Positions}),
        )
        app.add_api_route(
            "/v1/positions/wait",
            self.wait_for_position,
            methods=["POST"],
            response_model=None,
            tags=["positions"],
            responses=replies({200: Visible}),
            openapi_extra=body_of(PositionRequest),
        )
        app.add_api_route(
            PATH,
            self.resolve,
            methods=["POST"],
            response_model=None,
            tags=["positions"],
            responses=replies({200: Token}),
            openapi_extra=body_of(ResolveRequest),
        )

    async def positions(self, query: Annotated[PositionsQuery, Query()]) -> Response:
        """Every reducer and read model, partition by partition: position, lag, state, owner.

        `ready` is what all the read models under `required` show; it never goes back. With
        `model` or `partition` only their rows.
        """
        coordinator = self._node.coordinator
        rows = [row for row in self._node.positions() if _is_asked_for(row, query)]
        ready = {
            str(partition): offset
            for partition, offset in coordinator.position().next_offsets.items()
            if query.partition in (None, partition)
        }
        shown: dict[str, Any] = {"positions": rows, "next_cursor": None}
        shown |= {"ready": ready, "required": coordinator.required}
        return Reply(shown, headers=self._reach.headers())

    async def wait_for_position(self, request: Request) -> Response:
        """Answer once reads show all that the tokens and coordinates name; NotYetVisible if late.

        Without `model` every required read model shows it, wherever it runs. `graph` is the graph
        of the node that is asked, from which it answers paths and ancestors.
        """
        content = await read_body(request, self._node.settings)
        asked = parse_body(content, PositionRequest)
        wanted = merged(asked.token, self._node.log_id)
        # Names what is not known before anything is waited for.
        self._reached(asked.model)
        wanted = await attended(request, self._shown(request, asked, wanted))
        reached = self._reached(asked.model)
        told = {"token": wanted.token, "position": reached.token}
        return Reply(told, headers=self._reach.headers(reached))

    async def resolve(self, request: Request) -> Response:
        """The token of operations by their places, once they are stored; NotYetVisible if late.

        An index that was reached stays reached, whatever was stored after it. The token may ask
        for more than these operations: for all that their partitions held when they answered.
        """
        content = await read_body(request, self._node.settings)
        asked = parse_body(content, ResolveRequest)
        work = self._resolver.position(
            request, asked.coordinates, timeout_s=asked.timeout_ms / 1_000
        )
        position = await attended(request, work)
        return Reply({"token": position.token}, headers=self._reach.headers(position))

    async def _shown(self, request: Request, asked: PositionRequest, wanted: Position) -> Position:
        """What was wanted, once it is shown."""
        ends_at = now_s() + asked.timeout_ms / 1_000
        resolved = await self._resolver.position(
            request, asked.coordinates, timeout_s=asked.timeout_ms / 1_000
        )
        wanted = wanted.merge(resolved)
        left_s = max(0.0, ends_at - now_s())
        if asked.model == GRAPH:
            await self._node.graph.wait(wanted, left_s)
        else:
            await self._node.coordinator.wait(wanted, left_s, name=asked.model)
        return wanted

    def _reached(self, model: str | None) -> Position:
        if model == GRAPH:
            return self._node.graph.position()
        return self._node.coordinator.position(model)


def _is_asked_for(row: dict[str, Any], query: PositionsQuery) -> bool:
    return query.model in (None, row["name"]) and query.partition in (None, row["partition"])
