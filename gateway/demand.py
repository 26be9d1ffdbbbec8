"""What a read must at least show: every write whose token it brings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from time import monotonic
from typing import Self

from starlette.requests import Request

from docreactor.agents.live import LivePartition
from docreactor.gateway.attendance import attended
from docreactor.gateway.patience import while_serving
from docreactor.gateway.reach import Reach
from docreactor.gateway.requests import TokenQuery
from docreactor.pipeline.position import Offset, Partition, Position


@dataclass(frozen=True, slots=True)
class Demand:
    """The merged position of a read's tokens, and how long it may take to get there.

    `ends_at_s` is by the process's own clock: whoever waits for one partition after another has
    that time for all of them.
    """

    wanted: Position
    timeout_s: float
    ends_at_s: float

    @classmethod
    def of(cls, query: TokenQuery, log_id: str) -> Self:
        """What the query demands, from this moment on. InvalidToken, or TokenOfAnotherLog."""
        timeout_s = query.timeout_ms / 1_000
        return cls(merged(query.token, log_id), timeout_s, monotonic() + timeout_s)

    @property
    def left_s(self) -> float:
        """How long it may still take."""
        return max(0.0, self.ends_at_s - monotonic())

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The same as another node is asked it."""
        if not self.wanted.next_offsets:
            return []
        timeout_ms = str(round(self.left_s * 1_000))
        return [("token", self.wanted.token), ("timeout_ms", timeout_ms)]

    @property
    def patience_s(self) -> float:
        """How long a node that is asked for this may wait."""
        return self.timeout_s if self.wanted.next_offsets else 0.0

    def of_partition(self, part: Partition) -> Position:
        """What of it concerns one partition."""
        return Position(self.wanted.log_id, {part: self.wanted.next_offsets.get(part, Offset(0))})

    async def viewed(self, reach: Reach, request: Request, live: LivePartition) -> None:
        """Return when the partition's documents table shows it, or NotYetVisible."""
        await self._met(reach, request, live, live.view_position(), live.wait_view)

    async def kept(self, reach: Reach, request: Request, live: LivePartition, name: str) -> None:
        """Return when the partition's rows of a read model show it, or NotYetVisible."""
        wait = partial(live.wait_of, name)
        await self._met(reach, request, live, live.position_of(name), wait)

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
        here = self.of_partition(Partition(live.number))
        if reached.reached(here):
            return

        async def slice_of(slice_s: float) -> None:
            await wait(here, slice_s)

        await attended(request, while_serving(reach, live, slice_of, timeout_s=self.left_s))


def merged(tokens: Sequence[str], log_id: str) -> Position:
    """The least position that satisfies them all. InvalidToken, or TokenOfAnotherLog."""
    positions = [Position.parse(token, log_id=log_id) for token in tokens]
    return reduce(Position.merge, positions, Position(log_id, {}))
