"""The calls that make keyframes again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.keyframing import Made, make_keyframes
from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Keyframed
from docreactor.gateway.attendance import attended
from docreactor.gateway.facts import add_facts
from docreactor.gateway.openapi import replies
from docreactor.gateway.patience import now_s
from docreactor.gateway.reach import Call, Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import TendPageQuery, TendQuery
from docreactor.gateway.routes.integrity import PAGE_S, check_partition, tables_of
from docreactor.gateway.shown import missing
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.tables.criteria import id_cursor, read_id
from docreactor.tables.stream_check import Checked


class KeyframeRoutes:
    """POST /v1/documents/{id}/keyframes and /v1/keyframes."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        for path, call in (
            ("/v1/documents/{document_id}/keyframes", self.make_of_document),
            ("/v1/keyframes", self.make_of_partition),
        ):
            app.add_api_route(
                path,
                call,
                methods=["POST"],
                response_model=None,
                tags=["integrity"],
                responses=replies({200: Keyframed}),
            )

    async def make_of_document(
        self, request: Request, document_id: str, query: Annotated[TendQuery, Query()]
    ) -> Response:
        """Remove a document's keyframes on all its branches, and make them again.

        They are made by the policy of the owner's settings, from the stored operations alone. What
        cannot be replayed has none, and is told in `findings`.
        """
        add_facts(request.scope, document=check_id(document_id, field="id"))

        async def read(live: LivePartition) -> Response:
            tables = tables_of(live, self._node.settings)
            made = await attended(request, make_keyframes(tables, live.chores, document_id))
            if made is None:
                raise missing(live, document_id, DEFAULT_BRANCH)
            return Reply(_told([made], None))

        partition = self._node.partition_of(document_id)
        return await self._asked(request, partition, read, query)

    async def make_of_partition(
        self, request: Request, query: Annotated[TendPageQuery, Query()]
    ) -> Response:
        """As for one document, for those of one partition, page by page.

        A page ends after a second, or after `limit` documents.
        """
        check_partition(query.partition, self._node)
        after = read_id(query.cursor)

        async def read(live: LivePartition) -> Response:
            tables = tables_of(live, self._node.settings)
            return Reply(await attended(request, _page(tables, live, after, query.limit)))

        return await self._asked(request, query.partition, read, query)

    async def _asked(
        self, request: Request, partition: int, read: Any, query: TendQuery
    ) -> Response:
        call = Call.like(request, patience_s=query.timeout_ms / 1_000)
        return await self._reach.one(
            request, partition, read, position=LivePartition.operations_position, call=call
        )


async def _page(tables: Checked, live: LivePartition, after: str, limit: int) -> dict[str, Any]:
    until, every, last = now_s() + PAGE_S, list[Made](), after
    while len(every) < limit and now_s() < until:
        found = tables.operations.documents_after(last, 1)
        if not found:
            return _told(every, None)
        last = found[0]
        made = await make_keyframes(tables, live.chores, last)
        if made is not None:
            every.append(made)
    return _told(every, id_cursor(last))


def _told(every: Sequence[Made], next_cursor: str | None) -> dict[str, Any]:
    return {
        "documents": len(every),
        "removed": sum(made.removed for made in every),
        "stored": sum(made.stored for made in every),
        "findings": [finding.json for made in every for finding in made.findings],
        "next_cursor": next_cursor,
    }
