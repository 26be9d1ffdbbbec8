"""How often a batch has ended its worker, told to the next owner of the partition."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.agents.board import Board, attempts_key
from docreactor.pipeline.position import Offset

ALONE_AFTER_KILLS = 2


@dataclass(slots=True)
class Attempts:
    """One assignment's record: the offset it began at and how many in a row began there.

    `killer` is the offset of the one job that ran by itself when its worker was last heard of.
    """

    board: Board
    partition: int
    node: str
    epoch: int
    offset: Offset
    count: int
    killer: Offset | None

    @classmethod
    async def begin(
        cls, board: Board, partition: int, *, node: str, epoch: int, committed: Offset
    ) -> Attempts:
        """Count this assignment and say so on the log before anything runs.

        A life that ended in a process that lives on ended nobody: it is not counted.
        """
        row = board.row(attempts_key(partition)) or {}
        died = row.get("node") != node
        count = max(1, row["count"] + died) if row.get("offset") == committed else 1
        killer = row.get("alone") if died and row.get("offset") == committed else None
        attempts = cls(board, partition, node, epoch, committed, count, killer)
        await attempts._publish(alone=None)
        return attempts

    @property
    def one_at_a_time(self) -> bool:
        """Whether the next batch has ended its worker often enough to be run job by job."""
        return self.count > ALONE_AFTER_KILLS

    async def run_alone(self, offset: Offset, committed: Offset) -> None:
        """Say on the log that the job at this offset is about to run by itself.

        A deferred one lies below what is committed.
        """
        self.offset = committed
        await self._publish(alone=offset)

    async def survived(self) -> None:
        """The batch went through: whatever ends the worker now, it was not that batch."""
        self.count = 0
        self.killer = None
        await self._publish(alone=None)

    async def leave(self) -> None:
        """A clean end: the next assignment starts counting anew."""
        self.count = 0
        await self._publish(alone=None)

    async def _publish(self, *, alone: Offset | None) -> None:
        row = {
            "alone": alone,
            "count": self.count,
            "epoch": self.epoch,
            "node": self.node,
            "offset": self.offset,
        }
        await self.board.publish(attempts_key(self.partition), row)
