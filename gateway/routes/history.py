"""The call that tells a document's history: its operations, stored or effective."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Operations
from docreactor.gateway.attendance import attended
from docreactor.gateway.demand import Demand
from docreactor.gateway.facts import add_facts
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Call, Reach
from docreactor.gateway.read_queries import HistoryQuery
from docreactor.gateway.reply import Reply
from docreactor.gateway.shown import missing
from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.ids import check_id, check_name
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.timestamp import parse, render
from docreactor.tables.criteria import place_cursor, read_place
from docreactor.tables.history import EffectiveHistory, HistoryPage, Selection, find

_KEPT_BACK = ("document_type", "version")
"""Fields of a stored operation that belong to the record."""


class HistoryRoutes:
    """GET /v1/documents/{id}/operations."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._effective = EffectiveHistory()

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents/{document_id}/operations",
            self.get_operations,
            methods=["GET"],
            response_model=None,
            tags=["documents"],
            responses=replies({200: Operations}),
        )

    async def get_operations(
        self, request: Request, document_id: str, query: Annotated[HistoryQuery, Query()]
    ) -> Response:
        """The stored operations of one scope in the order of their indexes, errored ones too.

        With `effective` those that no later one supersedes: the order that every replica of the
        same actions shows. A deleted document's history stays readable.
        """
        add_facts(request.scope, document=document_id)
        stream, selection = _asked(document_id, query)
        since = max(query.since, read_place(query.cursor) - 1)
        node = self._reach.node
        demand = Demand.of(query, node.log_id)

        async def read(live: LivePartition) -> Response:
            await demand.stored(self._reach, request, live)
            home = Stream(document_id, DOCUMENT_SCOPE, query.branch)
            if live.operations.head(home) is None:
                raise missing(live, document_id, query.branch)
            look = self._effective.find if query.effective else find
            looking = look(live.operations, stream, selection, since=since, limit=query.limit)
            return _reply(await attended(request, looking))

        return await self._reach.one(
            request,
            node.partition_of(document_id),
            read,
            position=LivePartition.operations_position,
            call=Call.like(request, patience_s=demand.patience_s),
        )


def _asked(document_id: str, query: HistoryQuery) -> tuple[Stream, Selection]:
    stream = Stream(
        check_id(document_id, field="id"),
        check_name(query.scope, field="scope"),
        check_name(query.branch, field="branch"),
    )
    begin, end = _instant(query.from_), _instant(query.to)
    return stream, Selection(types=frozenset(query.types), from_=begin, to=end)


def _instant(text: str | None) -> str | None:
    return None if text is None else render(parse(text))


def _reply(page: HistoryPage) -> Response:
    operations: list[dict[str, Any]] = []
    for _, content in page.operations:
        operation = orjson.loads(content)
        # A load takes what is answered here verbatim: it has no place for these.
        for kept_back in _KEPT_BACK:
            operation.pop(kept_back, None)
        operations.append(operation)
    since = page.next_since
    next_cursor = None if since is None else place_cursor(since + 1)
    return Reply({"operations": operations, "next_cursor": next_cursor})
