"""The calls that show read models: which there are, and the rows of users' own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.agents.model_row import BUILT_IN, ModelRow
from docreactor.gateway.demand import Demand
from docreactor.gateway.facts import add_facts
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Call, Part, Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.row_page import RowPage
from docreactor.gateway.rows import KeptReadModels, KeptRows, RowsQuery
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.ids import check_id


class RowRoutes:
    """GET /v1/read-models and /v1/read-models/{name}/rows."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        app.add_api_route(
            "/v1/read-models",
            self.read_models,
            methods=["GET"],
            response_model=None,
            tags=["read models"],
            responses=replies({200: KeptReadModels}),
        )
        app.add_api_route(
            "/v1/read-models/{name}/rows",
            self.rows,
            methods=["GET"],
            response_model=None,
            tags=["read models"],
            responses=replies({200: KeptRows}),
        )

    async def read_models(self) -> Response:
        """Every read model of the deployment: version, generation, and how far it is."""
        shown = [self._shown(row) for _, row in sorted(self._node.coordinator.models.items())]
        return Reply({"read_models": shown, "next_cursor": None}, headers=self._reach.headers())

    async def rows(
        self, request: Request, name: str, query: Annotated[RowsQuery, Query()]
    ) -> Response:
        """A page of a read model's rows, in the order of their keys, then of partitions.

        Every owner is asked; when one cannot answer the reply is 503, never a part as if it were
        the whole. With `document` its owner alone is asked.
        """
        self._check(name)
        add_facts(request.scope, model=name)
        page, node = RowPage.of(name, query), self._node
        demand = Demand.of(query, node.log_id)
        partitions = range(node.partition_count)
        if query.document is not None:
            number = node.partition_of(check_id(query.document, field="document"))
            partitions = range(number, number + 1)

        async def read(live: LivePartition) -> Part:
            await demand.kept(self._reach, request, live, name)
            return page.read(live)

        gathered = await self._reach.every(
            request,
            partitions,
            read,
            call=Call.like(request, patience_s=demand.patience_s),
            plural="rows",
            model=name,
        )
        headers = self._reach.headers(gathered.position, gathered.answered_by)
        return Reply(page.reply(gathered), headers=headers)

    def _check(self, name: str) -> None:
        """UnknownReadModel, also of one that is retired; InvalidInput for the platform's."""
        if name in BUILT_IN:
            raise InvalidInputError(
                "name", f"{name} is read at /v1/documents, not row by row: see /docs"
            )
        self._node.coordinator.kept(name)

    def _shown(self, row: ModelRow) -> dict[str, Any]:
        coordinator = self._node.coordinator
        told = [place for place in self._node.positions() if place["name"] == row.name]
        # Of several generations the one that serves is told last.
        told.sort(key=_is_serving)
        serving = [place for place in told if _is_serving(place)]
        lags = [place["lag"] for place in serving if place["lag"] is not None]
        return {
            "name": row.name,
            "version": row.version,
            "generation": row.generation,
            "required": row.name in coordinator.required,
            "retired": row.is_retired,
            "position": coordinator.position(row.name).token,
            "lag": sum(lags) if lags else None,
            "serving": len({place["partition"] for place in serving}),
            "partitions": self._node.partition_count,
            "errors": {
                str(place["partition"]): str(place["error"]) for place in told if place.get("error")
            },
        }


def _is_serving(place: Mapping[str, Any]) -> bool:
    """Whether the owner of a partition answers from this generation."""
    return place.get("serving", True) and place["next_offset"] is not None
