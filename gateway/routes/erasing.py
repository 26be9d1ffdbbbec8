"""The call that removes every trace of a document."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Job
from docreactor.gateway.draft import Drafter
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.mutations import Asked, Mutations
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import WaitQuery
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.job import Erasure

_NOTICE = "notice"
_DONE = (200, 202)


class EraseRoutes:
    """POST /v1/documents/{id}/erase."""

    def __init__(self, reach: Reach) -> None:
        self._node = reach.node
        self._mutations = Mutations(reach)
        self._drafter = Drafter(reach.node)

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents/{document_id}/erase",
            self.erase_document,
            methods=["POST"],
            status_code=202,
            response_model=None,
            tags=["integrity"],
            responses=replies({200: Job, 202: Job}),
        )

    async def erase_document(
        self, request: Request, document_id: str, query: Annotated[WaitQuery, Query()]
    ) -> Response:
        """Remove a document on all its branches: operations, keyframes, job results, rows.

        Its id is never used again: later writes and reads are 410, `DocumentErased`. The topics
        `actions` and `dead-letters` keep what was asked until their retention; `notice` says so.
        Brokers remove the rest from their disks when they compact, which the settings bound.
        """
        check_id(document_id, field="id")

        def draft(_: ActionIds, __: LivePartition | None) -> Erasure:
            return self._drafter.erase(document_id)

        reply = await self._mutations.take(request, Asked(document_id, None, draft, query))
        if reply.status_code not in _DONE:
            return reply
        job = orjson.loads(bytes(reply.body)) | {_NOTICE: self._notice()}
        headers = {name: one for name, one in reply.headers.items() if name.startswith("x-")}
        return Reply(job, status_code=reply.status_code, headers=headers)

    def _notice(self) -> str:
        days = self._node.settings.actions_retention_days
        return f"the topics actions and dead-letters keep it until their retention, {days} days"
