"""Tells the edges of one partition anew, once for each generation of them that is wanted."""

from __future__ import annotations

import asyncio

from docreactor.agents.board import Board
from docreactor.agents.bulletin import Common
from docreactor.agents.kept import Kept
from docreactor.agents.pause import LeftError
from docreactor.agents.relationships import RelationshipAgent
from docreactor.pipeline.errors import FencedError, ReactorError

_AGAIN_S = 1.0


def refolded_key(partition: int) -> str:
    """Key of the newest generation of a partition's edges that was told to its end."""
    return f"refolded/{partition}"


class Refolding:
    """One life's. That it came to its end is told on the board: else the next owner begins again.

    Edges are absolute rows on a topic, and there is one set of them: a rebuild of `relationships`
    tells the differences.
    """

    def __init__(self, board: Board, partition: int, common: Common) -> None:
        self._board = board
        self._key = refolded_key(partition)
        self._common = common
        self.task: asyncio.Task[None] | None = None
        """Ends when all is told, or the lane leaves; trouble is told and waited out. Fenced when
        another process has taken the edges over."""

    def begin_when_due(self, kept: Kept) -> None:
        """Begin where a generation is kept that nobody has told to its end."""
        if not kept.is_refolding and self._is_due(kept.generation):
            kept.is_refolding = True
            self.task = asyncio.create_task(self._run(kept))
            kept.tell()

    def cancel(self) -> None:
        """Leave the rest to whoever is next."""
        if self.task is not None:
            self.task.cancel()

    def _is_due(self, generation: int) -> bool:
        row = self._board.row(self._key)
        return generation > (0 if row is None else row["generation"])

    async def _run(self, kept: Kept) -> None:
        try:
            await kept.caught.wait()
            while self._is_due(generation := kept.generation):
                if await self._told(kept):
                    epoch = self._common()["epoch"]
                    self._board.tell(self._key, {"epoch": epoch, "generation": generation})
        except LeftError:
            return
        kept.is_refolding = False
        kept.caught_up()

    async def _told(self, kept: Kept) -> bool:
        lane, agent = kept.lane, kept.projection
        assert lane is not None and isinstance(agent, RelationshipAgent)

        def tell(progress: float) -> None:
            lane.progress = progress
            kept.tell()

        try:
            await agent.refold(tell, stored=lane.stored)
        except FencedError:
            raise
        except (ReactorError, OSError) as error:
            kept.failed(error)
            await asyncio.sleep(_AGAIN_S)
            return False
        kept.failed(None)
        return True
