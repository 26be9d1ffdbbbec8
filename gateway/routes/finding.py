"""The call that finds documents: by ids, by slugs, of a type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.gateway.answers import Documents
from docreactor.gateway.demand import Demand
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Call, Gathered, Item, Part, Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.requests import FindQuery
from docreactor.gateway.shown import shown
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.ids import check_id, check_name
from docreactor.tables.criteria import Criteria, id_cursor, place_cursor, read_place


@dataclass(frozen=True, slots=True)
class Page:
    """What one call looks for: a stretch of the names asked, or a page of a type.

    Every node that is asked reads the same page out of the same query.
    """

    criteria: Criteria
    names: tuple[str, ...]
    limit: int
    cursor: str | None
    next_cursor: str | None

    @classmethod
    def of(cls, query: FindQuery) -> Page:
        """The page, or InvalidInput for a query that names nothing or too much."""
        check_name(query.branch, field="branch")
        if query.ids and query.slugs:
            raise InvalidInputError("slugs", "cannot be asked for together with ids")
        if not (query.ids or query.slugs or query.type):
            raise InvalidInputError("query", "must name ids, slugs or a type")
        if query.type is not None and not (query.ids or query.slugs):
            criteria = Criteria(branch=query.branch, document_type=query.type)
            return cls(criteria, (), query.limit, query.cursor, None)
        for document_id in query.ids:
            check_id(document_id, field="ids")
        every = tuple(dict.fromkeys(query.ids or query.slugs))
        place = read_place(query.cursor)
        names = every[place : place + query.limit]
        criteria = Criteria(
            branch=query.branch,
            ids=names if query.ids else None,
            slugs=None if query.ids else names,
            document_type=query.type,
        )
        following = place + query.limit
        next_cursor = place_cursor(following) if following < len(every) else None
        return cls(criteria, names, query.limit, None, next_cursor)

    def read(self, live: LivePartition) -> Part:
        """What one partition has of it."""
        found = live.documents.find(self.criteria, limit=self.limit, cursor=self.cursor)
        documents = (shown(live, one, self.criteria.branch) for one in found.document_ids)
        items = [document for document in documents if document is not None]
        return Part(items, found.next_cursor is not None, live.view_position())

    def reply(self, gathered: Gathered) -> dict[str, Any]:
        """The documents of all who were asked, in the order of the names or of the ids."""
        if self.names:
            documents = self._in_order(gathered.items)
            return {"documents": documents, "next_cursor": self.next_cursor}
        documents = sorted(gathered.items, key=lambda item: item["header"]["id"])
        more = gathered.more or len(documents) > self.limit
        documents = documents[: self.limit]
        next_cursor = id_cursor(documents[-1]["header"]["id"]) if more else None
        return {"documents": documents, "next_cursor": next_cursor}

    def _in_order(self, items: Iterable[Item]) -> list[Item]:
        name = "slug" if self.criteria.ids is None else "id"
        by_name: dict[str, Item] = {}
        for item in sorted(items, key=claim_of):
            by_name[item["header"][name]] = item
        return [by_name[one] for one in self.names if one in by_name]


def claim_of(item: Item) -> tuple[str, str]:
    """By what the claimants of one slug are compared: the newest is answered."""
    return item["header"]["created_at"], item["header"]["id"]


class FindRoutes:
    """GET /v1/documents."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/documents",
            self.find_documents,
            methods=["GET"],
            response_model=None,
            tags=["documents"],
            responses=replies({200: Documents}),
        )

    async def find_documents(
        self, request: Request, query: Annotated[FindQuery, Query()]
    ) -> Response:
        """A page of living documents by `ids` or `slugs`, in the order asked, or of a `type`.

        A `type` beside `ids` or `slugs` narrows them. Every owner is asked; when one cannot answer
        the reply is 503, never a part as if it were the whole. A page by `ids` or `slugs` may hold
        fewer than `limit` while `next_cursor` leads on.
        """
        page = Page.of(query)
        node = self._reach.node
        demand = Demand.of(query, node.log_id)
        partitions = {node.partition_of(one) for one in page.criteria.ids or ()}

        async def read(live: LivePartition) -> Part:
            await demand.viewed(self._reach, request, live)
            return page.read(live)

        gathered = await self._reach.every(
            request,
            partitions or range(node.partition_count),
            read,
            call=Call.like(request, patience_s=demand.patience_s),
        )
        headers = self._reach.headers(gathered.position, gathered.answered_by)
        return Reply(page.reply(gathered), headers=headers)
