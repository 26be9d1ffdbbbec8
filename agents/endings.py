"""Generations of read models on their way out: their lane ends, then their rows go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping

import structlog

from docreactor.agents.bulletin import Bulletin
from docreactor.agents.kept import Kept, store_name
from docreactor.agents.model_row import RELATIONSHIPS, ModelRow
from docreactor.agents.shelf import Shelf
from docreactor.pipeline.errors import ReactorError

_log = structlog.get_logger(__name__)

_AGAIN_S = 1.0


class Endings:
    """One life's. What it does not get to, the next one finds told on the board still."""

    def __init__(
        self, shelf: Shelf, partition: int, bulletin: Bulletin, ended: Callable[[], None]
    ) -> None:
        self._shelf = shelf
        self._partition = partition
        self._bulletin = bulletin
        self._ended = ended
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}

    def begin(self, name: str, generation: int, kept: Kept | None = None) -> None:
        """Have it end; `ended` is called when nothing of it is left."""
        ending = self._end(name, generation, kept)
        self._tasks[name, generation] = asyncio.create_task(ending)

    def clear_away(self, models: Mapping[str, ModelRow], kept: Container[tuple[str, int]]) -> None:
        """Have whatever end that is to be kept no more, and that lives before this one left."""
        for name, generation in self._bulletin.told():
            row = models.get(name)
            if row is None or row.keeps(generation):
                continue
            if name == RELATIONSHIPS:
                # There is one set of edges, whatever its generation.
                self._bulletin.forget(name, generation)
            elif (name, generation) not in kept:
                self.begin(name, generation)

    def has(self, name: str, generation: int) -> bool:
        """Whether it is still on its way: nothing may begin in its place."""
        return (name, generation) in self._tasks

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """Those that have not come to their end, or failed."""
        return list(self._tasks.values())

    async def _end(self, name: str, generation: int, kept: Kept | None) -> None:
        if kept is not None and kept.lane is not None and kept.task is not None:
            kept.lane.stop()
            await kept.task
        await self._discard(store_name(name, generation))
        self._bulletin.forget(name, generation)
        del self._tasks[name, generation]
        self._ended()

    async def _discard(self, name: str) -> None:
        """Leave nothing of the rows, as soon as the place allows."""
        while True:
            try:
                await self._shelf.discard(self._partition, name)
            except (ReactorError, OSError) as error:
                _log.warning(
                    "rows are dropped later",
                    store=name,
                    partition=self._partition,
                    detail=str(error),
                )
                await asyncio.sleep(_AGAIN_S)
            else:
                return
