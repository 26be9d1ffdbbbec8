"""The read models of one running partition: their generations, which serve, and what is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from docreactor.agents.bulletin import Bulletin, Common, holding, lacking, told
from docreactor.agents.coordinator import Coordinator
from docreactor.agents.deployment import Deployment
from docreactor.agents.endings import Endings
from docreactor.agents.feed import Feed
from docreactor.agents.frozen_rows import FrozenRows
from docreactor.agents.inbox import Inbox
from docreactor.agents.kept import Kept
from docreactor.agents.lane_of_kept import lane_of
from docreactor.agents.model_row import DOCUMENTS, RELATIONSHIPS, ModelRow
from docreactor.agents.pause import Pause
from docreactor.agents.projection import Projection
from docreactor.agents.refolding import Refolding
from docreactor.pipeline.errors import ReactorError, RestoringError
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached

Make = Callable[[str, int], Projection | None]
"""The projection of one generation of a model; None where this worker cannot run it."""


class ReadModels:
    """Keeps a lane for each generation that is kept, as the deployment's rows say."""

    def __init__(
        self,
        deployment: Deployment,
        partition: int,
        feed: Feed,
        make: Make,
        *,
        written: Reached,
        row: Common,
        pause: Callable[[Inbox, Kept], Pause],
    ) -> None:
        self._deployment = deployment
        self._coordinator: Coordinator = deployment.coordinator
        self._partition = partition
        self.feed = feed
        self._make = make
        self._written = written
        self._related = deployment.graph.reached(partition)
        self._bulletin = Bulletin(deployment, partition, row)
        self._pause = pause
        self._kept: dict[tuple[str, int], Kept] = {}
        self._missing: dict[str, str] = {}
        self._serving: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._refolding = Refolding(deployment.board, partition, row)
        self._endings = Endings(deployment.shelf, partition, self._bulletin, self._changed.set)
        self.ready = Reached(self._coordinator.ready(partition).next_offset)
        self._delays = deployment.delays(written)

    def serving(self, name: str, generation: int | None = None) -> Kept:
        """The generation that answers, or the one named.

        Restoring without it, or while it shows less than the deployment has shown already.
        """
        wanted = self._serving.get(name, -1) if generation is None else generation
        kept = self._kept.get((name, wanted))
        if kept is None:
            raise RestoringError(self._partition, state=f"without {name}")
        # Edges are asked of the graph, which knows by itself how far it is.
        if not kept.has_caught_up and name != RELATIONSHIPS:
            shown = self._coordinator.reached(name, self._partition)
            if kept.reached.next_offset < shown:
                raise RestoringError(self._partition, state=f"restoring {name}")
        return kept

    def serves(self, kept: Kept) -> bool:
        """Whether it is the generation that answers."""
        return self._serving.get(kept.name) == kept.generation

    def every(self) -> Iterator[Kept]:
        """All that are kept here."""
        yield from list(self._kept.values())

    def errors(self) -> Mapping[str, str]:
        """What holds up a model that is to serve here, by its name."""
        kept = [one for one in self._kept.values() if self.serves(one)]
        held = [(one.name, holding(self._deployment, one)) for one in kept]
        failing = {name: why for name, why in held if why is not None}
        required = self._coordinator.required
        return {name: why for name, why in self._missing.items() if name in required} | failing

    def begin(self, generation: int, viewed: int) -> None:
        """Take up what is to be kept; from then on it may be asked.

        Of the documents this generation serves: it is restored already, up to `viewed`. Restoring
        where it is not to be kept any more.
        """
        self._deployment.board.watch(self._hear)
        self._related.listen(self._settle)
        self._serving[DOCUMENTS] = generation
        try:
            self._reconcile()
            documents = self._kept.get((DOCUMENTS, generation))
            if documents is None:
                state = f"changing from generation {generation} of {DOCUMENTS}"
                raise RestoringError(self._partition, state=state)
            self._endings.clear_away(self._coordinator.models, self._kept)
        except BaseException:
            self._let_go()
            raise
        documents.caught.set()
        documents.reached.advance(viewed)

    async def run(self) -> None:
        """Until the feed is closed and every lane has ended; what ends one ends the others."""
        closed = asyncio.create_task(self.feed.closed())
        try:
            while not closed.done():
                self._reconcile()
                changed = asyncio.create_task(self._changed.wait())
                running = self._tasks()
                awaited = [changed, closed, *running]
                try:
                    await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
                self._changed.clear()
                for task in running:
                    if task.done():
                        task.result()
            self._refolding.cancel()
            for task in [one.task for one in self._kept.values() if one.task is not None]:
                await task
        finally:
            closed.cancel()
            tasks = self._tasks()
            self._let_go()
            await asyncio.gather(closed, *tasks, return_exceptions=True)

    def _tasks(self) -> list[asyncio.Task[None]]:
        """What goes on."""
        lanes = [one.task for one in self._kept.values()]
        every = [*lanes, self._refolding.task, *self._endings.tasks]
        return [task for task in every if task is not None and not task.done()]

    def _let_go(self) -> None:
        self.feed.close()
        self._deployment.board.unwatch(self._hear)
        self._related.forget(self._settle)
        for task in self._tasks():
            task.cancel()

    def tell(self) -> None:
        """Publish where every generation is."""
        for kept in self.every():
            self._tell(kept)
        self._bulletin.tell_ready(self.ready)
        if self._missing:
            # What was lacking may be here now.
            self._changed.set()

    def _hear(self, key: str, row: Mapping[str, Any]) -> None:
        if "versions" in row:
            self._changed.set()

    def _reconcile(self) -> None:
        """Begin what is to be kept and is not, end what is kept and is not to be."""
        rows = self._coordinator.models
        for name, row in rows.items():
            if not row.is_retired:
                self._begin_kept(name, row)
                self._choose(name, row)
        for (name, generation), kept in list(self._kept.items()):
            known = rows.get(name)
            if known is None or known.keeps(generation):
                continue
            if known.is_retired or not self.serves(kept):
                self._end(kept)
        for row in [rows[name] for name in self._missing]:
            if not row.keeps(row.generation) or (row.name, row.generation) in self._kept:
                del self._missing[row.name]
        self._settle()

    def _begin_kept(self, name: str, row: ModelRow) -> None:
        generations = row.kept
        if name == RELATIONSHIPS:
            # There is one set of edges: a rebuild tells the differences.
            generations = [row.generation]
            self._renumber(row)
        for generation in generations:
            if (name, generation) not in self._kept and not self._endings.has(name, generation):
                self._begin_generation(row, generation)
        kept = self._kept.get((RELATIONSHIPS, row.generation))
        if name == RELATIONSHIPS and kept is not None:
            self._refolding.begin_when_due(kept)

    def _begin_generation(self, row: ModelRow, generation: int) -> None:
        """Begin it, or tell why it is not kept here, if it is the one that is to serve."""
        try:
            projection = self._make(row.name, generation)
            reason = lacking(row)
        except (ReactorError, OSError) as error:
            projection, reason = None, told(error)
        if projection is not None:
            self._begin(Kept(row.name, generation, projection))
        elif generation == row.generation:
            self._missing[row.name] = reason
            reached = self._coordinator.reached(row.name, self._partition)
            self._bulletin.tell_missing(row.name, generation, reason, reached=reached)

    def _renumber(self, row: ModelRow) -> None:
        """The edges that are kept are those of any generation."""
        kept = next((one for one in self._kept.values() if one.name == RELATIONSHIPS), None)
        if kept is not None and kept.generation < row.generation:
            del self._kept[kept.name, kept.generation]
            self._bulletin.forget(kept.name, kept.generation)
            kept.generation = row.generation
            self._kept[kept.name, kept.generation] = kept
            self._serving[kept.name] = kept.generation

    def _begin(self, kept: Kept) -> None:
        kept.tell = lambda: self._tell(kept)
        kept.moved = lambda: self._moved(kept)
        kept.count = lambda name: self._deployment.metrics.errors.labels(name).inc()
        kept.reached.listen(lambda _: self._moved(kept))
        self._kept[kept.name, kept.generation] = kept
        if kept.name not in self._serving:
            served = self._coordinator.served(kept.name, self._partition)
            row = self._coordinator.models[kept.name]
            self._serving[kept.name] = row.generation if served is None else served
        if self.serves(kept):
            self._delays.follow(kept.name, kept.reached)
        if isinstance(kept.projection, FrozenRows):
            kept.reached.advance(kept.projection.position)
        else:
            start = self._coordinator.models[kept.name].start(kept.generation, self._partition)
            kept.lane = lane_of(
                kept,
                self._deployment,
                self.feed,
                start=Offset(start),
                stored=self._written,
                serves=self.serves,
                pause=self._pause,
            )
            kept.task = asyncio.create_task(kept.lane.run())
        self._tell(kept)

    def _end(self, kept: Kept) -> None:
        del self._kept[kept.name, kept.generation]
        if self.serves(kept):
            del self._serving[kept.name]
        self._delays.forget(kept.name, kept.reached)
        self._endings.begin(kept.name, kept.generation, kept)

    def _choose(self, name: str, row: ModelRow) -> None:
        """Have the generation serve that is to, as soon as it has reached the one that does."""
        present = self._serving.get(name)
        wanted = self._kept.get((name, row.generation))
        if wanted is None or present == row.generation:
            return
        serving = None if present is None else self._kept.get((name, present))
        if serving is None or (
            wanted.has_caught_up and wanted.reached.next_offset >= serving.reached.next_offset
        ):
            self._serving[name] = row.generation
            self._delays.follow(name, wanted.reached)
            for kept in (serving, wanted):
                if kept is not None:
                    self._tell(kept)

    def _moved(self, kept: Kept) -> None:
        row = self._coordinator.models.get(kept.name)
        if row is not None and row.generation != self._serving.get(kept.name):
            self._choose(kept.name, row)
        self._bulletin.move(kept, self._still_serves)
        self._settle()

    def _still_serves(self, kept: Kept) -> bool | None:
        is_kept = self._kept.get((kept.name, kept.generation)) is kept
        return self.serves(kept) if is_kept else None

    def _settle(self, _: int = 0) -> None:
        """What every required model shows is ready."""
        least = min(self._reached(name) for name in self._coordinator.required)
        if least > self.ready.next_offset:
            self.ready.advance(least)
            self._bulletin.tell_ready(self.ready)

    def _reached(self, name: str) -> int:
        if name == RELATIONSHIPS:
            return self._related.next_offset
        kept = self._kept.get((name, self._serving.get(name, -1)))
        return 0 if kept is None else kept.reached.next_offset

    def _tell(self, kept: Kept) -> None:
        if self._kept.get((kept.name, kept.generation)) is kept:
            self._bulletin.tell(kept, is_serving=self.serves(kept))
