"""What a read must at least show: every write whose token it brings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self

from starlette.requests import Request

from docreactor.agents.live import LivePartition
from docreactor.gateway.attendance import attended
from docreactor.gateway.patience import while_serving
from docreactor.gateway.reach import Reach
from docreactor.gateway.requests import ReadQuery
from docreactor.pipeline.position import Offset, Partition, Position


@dataclass(frozen=True, slots=True)
class Demand:
    """The merged position of a read's tokens, and how long it may take to get there."""

    wanted: Position
    timeout_s: float

    @classmethod
    def of(cls, query: ReadQuery, log_id: str) -> Self:
        """What the query demands. InvalidToken, or TokenOfAnotherLog."""
        return cls(merged(query.token, log_id), query.timeout_ms / 1_000)

    @property
    def patience_s(self) -> float:
        """How long a node that is asked for this may wait."""
        return self.timeout_s if self.wanted.next_offsets else 0.0

    async def viewed(self, reach: Reach, request: Request, live: LivePartition) -> None:
        """Return when the partition's documents table shows it, or NotYetVisible."""
        await self._met(reach, request, live, live.view_position(), live.wait_view)

    async def stored(self, reach: Reach, request: Request, live: LivePartition) -> None:
        """Return when the partition's operation store holds it, or NotYetVisible."""
        await self._met(reach, request, live, live.operations_position(), live.wait_operations)

    async def _met(
        self,
        reach: Reach,
        request: Request,
        live: LivePartition,
        reached: Position,
        wait: Callable[[Position, float], Awaitable[None]],
    ) -> None:
        part = Partition(live.number)
        offset = self.wanted.next_offsets.get(part, Offset(0))
        here = Position(self.wanted.log_id, {part: offset})
        if reached.reached(here):
            return

        async def slice_of(slice_s: float) -> None:
            await wait(here, slice_s)

        await attended(request, while_serving(reach, live, slice_of, timeout_s=self.timeout_s))


def merged(tokens: Sequence[str], log_id: str) -> Position:
    """The least position that satisfies them all. InvalidToken, or TokenOfAnotherLog."""
    positions = [Position.parse(token, log_id=log_id) for token in tokens]
    return reduce(Position.merge, positions, Position(log_id, {}))
