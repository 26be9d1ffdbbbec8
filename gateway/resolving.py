"""Which position shows operations that are given by their places: their owners know."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import orjson
from starlette.requests import Request

from docreactor.agents.live import LivePartition
from docreactor.gateway.coordinates import Coordinate
from docreactor.gateway.facts import add_facts
from docreactor.gateway.patience import now_s, while_serving
from docreactor.gateway.reach import Call, Reach
from docreactor.gateway.refusal import error_of
from docreactor.gateway.together import together
from docreactor.pipeline.errors import DocumentErasedError, NotYetVisibleError, RestoringError
from docreactor.pipeline.ids import check_id, check_name
from docreactor.pipeline.position import Offset, Partition, Position

PATH = "/v1/positions/resolve"
_POLL_S = 0.05


class Resolver:
    """Asks the owner of each document until its operation store holds what is wanted.

    What it answers is a safe bound and not the least one: all that the owner's partition had
    stored at that moment.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._node = reach.node

    async def position(
        self, request: Request, coordinates: Sequence[Coordinate], *, timeout_s: float
    ) -> Position:
        """A position that covers all of them, once they are stored.

        NotYetVisible when one is not in time, DocumentErased for what never will be.
        """
        ends_at = now_s() + timeout_s
        position = Position(self._node.log_id, {})
        works = [
            self._asked(request, partition, several, ends_at)
            for partition, several in self._by_partition(coordinates).items()
        ]
        for part in await together(works) if works else ():
            position = position.merge(part)
        return position

    def _by_partition(self, coordinates: Sequence[Coordinate]) -> Mapping[int, list[Coordinate]]:
        found: dict[int, list[Coordinate]] = {}
        for one in coordinates:
            check_id(one.document_id, field="document_id")
            check_name(one.scope, field="scope")
            check_name(one.branch, field="branch")
            found.setdefault(self._node.partition_of(one.document_id), []).append(one)
        return found

    async def _asked(
        self, request: Request, partition: int, coordinates: Sequence[Coordinate], ends_at: float
    ) -> Position:
        """Asked of whoever runs the partition, also while that changes hands."""
        while True:
            left_s = max(0.0, ends_at - now_s())
            live = self._node.local(partition)
            owner = self._reach.elsewhere(request, partition)
            try:
                if live is not None:
                    return await self._stored(live, coordinates, left_s)
                if owner is not None:
                    return await self._forwarded(request, owner, partition, coordinates, left_s)
            except RestoringError:
                add_facts(request.scope, moved=True)
            if now_s() >= ends_at:
                wanted = ", ".join(map(str, coordinates))
                reached = Position(self._node.log_id, {})
                raise NotYetVisibleError(wanted=wanted, reached=reached.token)
            await asyncio.sleep(_POLL_S)

    async def _forwarded(
        self,
        request: Request,
        owner: str,
        partition: int,
        coordinates: Sequence[Coordinate],
        left_s: float,
    ) -> Position:
        body = {
            "coordinates": [one.model_dump() for one in coordinates],
            "timeout_ms": int(left_s * 1_000),
        }
        call = Call.like(request, patience_s=left_s, content=orjson.dumps(body)).to(PATH, "")
        answer = await self._reach.ask(owner, [partition], call)
        told = orjson.loads(answer.content)
        if answer.status_code != 200:
            raise error_of(told)
        return Position.parse(told["token"], log_id=self._node.log_id)

    async def _stored(
        self, live: LivePartition, coordinates: Sequence[Coordinate], left_s: float
    ) -> Position:
        ends_at = now_s() + left_s
        for one in coordinates:

            async def wait(slice_s: float, one: Coordinate = one) -> None:
                await _stored(live, one, slice_s)

            left_s = max(0.0, ends_at - now_s())
            await while_serving(self._reach, live, wait, timeout_s=left_s)
        # The rows' own position: those who wait are told of it a moment after the rows are there.
        offset = live.tables.write_store.positions().get(self._node.topics.operations, Offset(0))
        self._reach.confirm(live)
        return Position(live.log_id, {Partition(live.number): offset})


async def _stored(live: LivePartition, wanted: Coordinate, timeout_s: float) -> None:
    """Return when the operation store holds it, or NotYetVisible."""
    ends_at = now_s() + timeout_s
    while True:
        written = live.written.next_offset
        head = live.operations.head(wanted.stream)
        if head is not None and head.next_index > wanted.operation_index:
            return
        erased = live.operations.erased(wanted.document_id)
        if erased is not None:
            raise DocumentErasedError(wanted.document_id, erased.erased_at)
        try:
            await live.written.wait(written + 1, ends_at - now_s())
        except TimeoutError:
            reached = live.operations_position()
            raise NotYetVisibleError(wanted=str(wanted), reached=reached.token) from None
