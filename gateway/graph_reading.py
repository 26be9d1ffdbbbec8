"""How the graph is asked: on this node, once it shows what the caller has seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from docreactor.gateway.attendance import attended
from docreactor.gateway.demand import Demand
from docreactor.gateway.reach import Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import ReadQuery
from docreactor.pipeline.ids import check_id, check_name
from docreactor.tables.graph import GraphTable

Read = Callable[[GraphTable], Awaitable[Any]]


class GraphReading:
    """Answers from the node's own graph of all partitions, whoever runs them.

    What waits and what walks ends when the caller has gone.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    async def reply(self, request: Request, query: ReadQuery, read: Read) -> Response:
        """What `read` finds; NotYetVisible when the graph is late, Restoring before it is there."""
        check_name(query.branch, field="branch")
        demand = Demand.of(query, self._node.log_id)
        return await attended(request, self._reply(demand, read))

    async def _reply(self, demand: Demand, read: Read) -> Response:
        graph = self._node.graph
        await graph.wait(demand.wanted, demand.timeout_s)
        # What is found is at least as new: the graph moves on under a long walk.
        headers = self._reach.headers(graph.position())
        return Reply(await read(graph.table), headers=headers)


def checked(document_ids: Sequence[str], *, field: str) -> list[str]:
    """Ids as they are, each once, or InvalidInput."""
    return [check_id(one, field=field) for one in dict.fromkeys(document_ids)]


def types_of(types: Sequence[str]) -> list[str] | None:
    """The types asked for, None for all of them; InvalidInput for what can be none."""
    return [check_name(one, field="type") for one in dict.fromkeys(types)] or None
