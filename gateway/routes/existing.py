"""The call that tells which of many documents there are."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Exists
from docreactor.gateway.attendance import attended
from docreactor.gateway.demand import Demand
from docreactor.gateway.openapi import replies
from docreactor.gateway.page import IdsPage
from docreactor.gateway.reach import Call, Part, Reach
from docreactor.gateway.read_queries import ExistsQuery
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import LIMIT_MAX
from docreactor.gateway.shown import Excerpt
from docreactor.pipeline.errors import TooLargeError
from docreactor.pipeline.ids import check_id, check_name


class ExistRoutes:
    """GET /v1/exists."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/exists",
            self.get_exists,
            methods=["GET"],
            response_model=None,
            tags=["documents"],
            responses=replies({200: Exists}),
        )

    async def get_exists(
        self, request: Request, query: Annotated[ExistsQuery, Query()]
    ) -> Response:
        """For each of the `ids`, in their order, whether there is such a document on the branch.

        There is none any more once it is deleted. At most 1,000 ids.
        """
        branch = check_name(query.branch, field="branch")
        for document_id in query.ids:
            check_id(document_id, field="ids")
        if len(query.ids) > LIMIT_MAX:
            raise TooLargeError("number of ids", limit=LIMIT_MAX, actual=len(query.ids))
        node = self._reach.node
        demand = Demand.of(query, node.log_id)
        excerpt = Excerpt(branch, is_header_only=True)
        page = IdsPage(tuple(dict.fromkeys(query.ids)), excerpt, None, None)

        async def read(live: LivePartition) -> Part:
            await demand.viewed(self._reach, request, live)
            here = [one for one in page.ids if node.partition_of(one) == live.number]
            lives = live.documents.catalogue.is_living(here, branch)
            items = [
                {"header": {"id": one}} for one, is_one in zip(here, lives, strict=True) if is_one
            ]
            return Part(items, False, live.view_position())

        call = Call.like(request, patience_s=demand.patience_s)
        asked = urlencode(page.parameters + demand.parameters, safe=",")
        gathering = self._reach.every(
            request, page.partitions(node), read, call=call.to("/v1/documents", asked)
        )
        gathered = await attended(request, gathering)
        found = {item["header"]["id"] for item in gathered.items}
        headers = self._reach.headers(gathered.position, gathered.answered_by)
        return Reply({"exists": [one in found for one in query.ids]}, headers=headers)
