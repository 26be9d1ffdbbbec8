"""The calls about documents that read models have set aside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.derivation import Derivation
from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Answer
from docreactor.gateway.attendance import attended
from docreactor.gateway.facts import add_facts
from docreactor.gateway.generations import Quarantine, QuarantineQuery
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Call, Part, Reach
from docreactor.gateway.reply import Reply
from docreactor.pipeline.ids import check_id

_PATIENCE_S = 30.0


class QuarantineRoutes:
    """GET /v1/quarantine, POST /v1/quarantine/{model}/{document_id}/retry and …/clear."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        place = "/v1/quarantine/{model}/{document_id}"
        calls: tuple[tuple[str, str, Callable[..., Awaitable[Response]], type[Answer]], ...] = (
            ("GET", "/v1/quarantine", self.quarantine, Quarantine),
            ("POST", f"{place}/retry", self.retry, Quarantine),
            ("POST", f"{place}/clear", self.clear, Quarantine),
        )
        for method, path, call, answer in calls:
            app.add_api_route(
                path,
                call,
                methods=[method],
                response_model=None,
                tags=["read models"],
                responses=replies({200: answer}),
            )

    async def quarantine(
        self, request: Request, query: Annotated[QuarantineQuery, Query()]
    ) -> Response:
        """Every document that a read model could not apply and set aside, with its problem."""
        if query.model is not None:
            self._node.coordinator.model(query.model)

        async def read(live: LivePartition) -> Part:
            return Part(_listed(live, query.model, None), False, live.view_position())

        gathered = await self._reach.every(
            request,
            range(self._node.partition_count),
            read,
            call=Call.like(request, patience_s=_PATIENCE_S),
        )
        rows = sorted(gathered.items, key=lambda row: (row["model"], row["document_id"]))
        headers = self._reach.headers(gathered.position, gathered.answered_by)
        return Reply({"documents": rows, "next_cursor": None}, headers=headers)

    async def retry(self, request: Request, model: str, document_id: str) -> Response:
        """Derive the document anew in that read model; answers what is set aside of it then."""
        return await self._changed(request, model, document_id, Derivation.retry)

    async def clear(self, request: Request, model: str, document_id: str) -> Response:
        """Go on with the document as it was left: what was passed over meanwhile stays out.

        `documents` derives it anew at the first operation that does not fit; see also `retry`.
        """
        return await self._changed(request, model, document_id, Derivation.clear)

    async def _changed(
        self,
        request: Request,
        model: str,
        document_id: str,
        change: Callable[[Derivation, str, str], Coroutine[Any, Any, None]],
    ) -> Response:
        add_facts(request.scope, document=check_id(document_id, field="document_id"), model=model)
        self._node.coordinator.kept(model)

        async def read(live: LivePartition) -> Response:
            await attended(request, change(live.derived(), model, document_id))
            return Reply({"documents": _listed(live, model, document_id), "next_cursor": None})

        return await self._reach.one(
            request,
            self._node.partition_of(document_id),
            read,
            position=LivePartition.view_position,
            call=Call.like(request, patience_s=_PATIENCE_S),
        )


def _listed(
    live: LivePartition, model: str | None, document_id: str | None
) -> list[dict[str, object]]:
    return [
        {"document_id": found, "model": name, "problem": problem}
        for name, found, problem in live.derived().quarantined(model)
        if document_id in (None, found)
    ]
