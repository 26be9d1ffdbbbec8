"""The call that tells which documents slugs stand for, and who else claims them."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.gateway.answers import Slugs
from docreactor.gateway.claims import PATH, Claims
from docreactor.gateway.demand import Demand
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Reach
from docreactor.gateway.read_queries import SlugsQuery
from docreactor.gateway.reply import Reply


class SlugRoutes:
    """GET /v1/slugs."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            PATH,
            self.get_slugs,
            methods=["GET"],
            response_model=None,
            tags=["documents"],
            responses=replies({200: Slugs}),
        )

    async def get_slugs(self, request: Request, query: Annotated[SlugsQuery, Query()]) -> Response:
        """Which document each of the `slugs` stands for, in the order asked; no state is loaded.

        One that nobody claims is left out. Of several claims the newest stands; the others are its
        rivals, the newest first. Without `slugs` all that are claimed on the branch are listed, the
        shorter first. `contested` leaves out those without rivals: a page may then hold fewer than
        `limit` while `next_cursor` leads on.
        """
        demand = Demand.of(query, self._reach.node.log_id)
        claims = Claims.of(query)
        gathered = await claims.gather(self._reach, request, demand)
        slugs, next_cursor = claims.joined(gathered)
        headers = self._reach.headers(gathered.position, gathered.answered_by)
        return Reply({"slugs": slugs, "next_cursor": next_cursor}, headers=headers)
