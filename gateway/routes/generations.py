"""The calls that rebuild read models, put them back, retire them, and show them records again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.agents.log import Isolation, TopicPartition
from docreactor.agents.model_row import BUILT_IN, RELATIONSHIPS, ModelRow
from docreactor.gateway.attendance import attended
from docreactor.gateway.body import has_body, parse_body, read_body
from docreactor.gateway.facts import add_facts
from docreactor.gateway.generations import (
    BEGINNING,
    Generations,
    RebuildRequest,
    Replayed,
    ReplayQuery,
)
from docreactor.gateway.openapi import body_of, replies
from docreactor.gateway.reach import Call, Reach
from docreactor.gateway.reply import Reply
from docreactor.gateway.routes.integrity import check_partition
from docreactor.pipeline.errors import (
    InvalidInputError,
    InvalidOperationTimestampError,
    InvalidTokenError,
    NotYetVisibleError,
    RebuildUnfinishedError,
)
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.pipeline.timestamp import parse

_TAGS: list[str | Enum] = ["read models"]


class GenerationRoutes:
    """POST /v1/read-models/{name}/rebuild, roll-back, finish, retire, revive and replay."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        for verb, call in (
            ("roll-back", self.roll_back),
            ("finish", self.finish),
            ("retire", self.retire),
            ("revive", self.revive),
        ):
            self._add(app, verb, call)
        self._add(app, "rebuild", self.rebuild, body_of(RebuildRequest, required=False))
        app.add_api_route(
            "/v1/read-models/{name}/replay",
            self.replay,
            methods=["POST"],
            response_model=None,
            tags=_TAGS,
            responses=replies({200: Replayed}),
        )

    def _add(
        self, app: FastAPI, verb: str, call: Callable[..., Any], body: dict[str, Any] | None = None
    ) -> None:
        app.add_api_route(
            f"/v1/read-models/{{name}}/{verb}",
            call,
            methods=["POST"],
            status_code=202,
            response_model=None,
            tags=_TAGS,
            responses=replies({202: Generations}),
            openapi_extra=body,
        )

    async def rebuild(self, request: Request, name: str) -> Response:
        """Build a generation beside the one that serves; each partition swaps when it is as far.

        `from` may be a time or a position for a read model of yours: its rows then tell of nothing
        before. The generation before is kept, and kept up to date, until `finish`.
        """
        self._check_kept(name)
        asked = RebuildRequest()
        if has_body(request):
            asked = parse_body(await read_body(request, self._node.settings), RebuildRequest)
        if name in BUILT_IN and asked.from_ != BEGINNING:
            raise InvalidInputError("from", f"{name} is rebuilt from the beginning: see replay")
        starts = await self._starts(asked.from_)
        return self._told(self._node.coordinator.rebuild(name, starts))

    async def roll_back(self, name: str) -> Response:
        """Have the generation before serve again."""
        self._check_kept(name)
        if name == RELATIONSHIPS:
            raise InvalidInputError("name", "edges are told once: rebuild relationships instead")
        return self._told(self._node.coordinator.roll_back(name))

    async def finish(self, name: str) -> Response:
        """Drop every generation but the one that is to serve, once that serves everywhere."""
        self._check_kept(name)
        generation = self._node.coordinator.model(name).generation
        if self._node.coordinator.common(name) != generation:
            raise RebuildUnfinishedError(name, generation)
        return self._told(self._node.coordinator.finish(name))

    async def retire(self, name: str) -> Response:
        """Keep a read model no more: its rows are dropped, and READ_READY waits for it no more."""
        return self._told(self._node.coordinator.retire(name))

    async def revive(self, name: str) -> Response:
        """Keep a retired read model again; READ_READY waits for it once it has caught up."""
        return self._told(self._node.coordinator.revive(name))

    async def replay(
        self, request: Request, name: str, query: Annotated[ReplayQuery, Query()]
    ) -> Response:
        """Derive anew, in `documents` or `relationships`, what a partition's records are about.

        From `from` on, page by page; what the read model has set aside is tried again.
        """
        self._check_kept(name)
        if name not in BUILT_IN:
            raise InvalidInputError("name", "must be the platform's: rebuild one of yours, from …")
        check_partition(query.partition, self._node)
        add_facts(request.scope, model=name)
        if query.cursor is None:
            begin = (await self._starts(query.from_)).get(query.partition, 0)
        else:
            begin = int(query.cursor)

        async def read(live: LivePartition) -> Response:
            work = live.derived().replay(name, Offset(begin), count_max=query.limit)
            done = await attended(request, work)
            following = None if done.next_offset is None else str(done.next_offset)
            return Reply({"documents": done.documents, "next_cursor": following})

        return await self._reach.one(
            request,
            query.partition,
            read,
            position=LivePartition.view_position,
            call=Call.like(request, patience_s=query.timeout_ms / 1_000),
        )

    def _check_kept(self, name: str) -> None:
        """UnknownReadModel, or InvalidInput for one that is retired."""
        if self._node.coordinator.model(name).is_retired:
            raise InvalidInputError("name", f"{name} is retired: revive it first")

    async def _starts(self, begin: str) -> Mapping[int, int]:
        """The first offset in each partition. InvalidInput for what is neither time nor token.

        TokenOfAnotherLog or NotYetVisible for a token that says nothing about this log so far.
        """
        if begin == BEGINNING:
            return {}
        topic, count = self._node.topics.operations, self._node.partition_count
        sources = [TopicPartition(topic, number) for number in range(count)]
        try:
            position = Position.parse(begin, log_id=self._node.log_id)
        except InvalidTokenError:
            pass
        else:
            await self._check_reached(position, sources)
            return {int(part): int(at) for part, at in position.next_offsets.items()}
        try:
            since_ms = parse(begin) // 1_000
        except InvalidOperationTimestampError as cause:
            raise InvalidInputError(
                "from", f"must be {BEGINNING}, a time such as 2026-01-31T08:00:00Z, or a token"
            ) from cause
        found = await self._node.log.offsets_since(dict.fromkeys(sources, since_ms))
        return {source.partition: int(offset) for source, offset in found.items()}

    async def _check_reached(self, position: Position, sources: list[TopicPartition]) -> None:
        ends = await self._node.log.end_offsets(sources, Isolation.COMMITTED)
        offsets = {Partition(source.partition): at for source, at in ends.items()}
        written = Position(self._node.log_id, offsets)
        if not written.reached(position):
            raise NotYetVisibleError(wanted=position.token, reached=written.token)

    def _told(self, row: ModelRow) -> Response:
        hidden = ("epoch", "newest", "starts")
        told = {name: value for name, value in row.json.items() if name not in hidden}
        return Reply(told, status_code=202, headers=self._reach.headers())
