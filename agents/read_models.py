"""The read models of one running partition: their generations, which serve, and what is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from docreactor.agents.bulletin import Bulletin, Common
from docreactor.agents.coordinator import Coordinator
from docreactor.agents.deployment import Deployment
from docreactor.agents.feed import Feed
from docreactor.agents.frozen_rows import FrozenRows
from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.kept import Kept, store_name
from docreactor.agents.model_row import BUILT_IN, DOCUMENTS, RELATIONSHIPS, ModelRow
from docreactor.agents.pause import LeftError, Pause
from docreactor.agents.projection import Projection
from docreactor.agents.relationships import RelationshipAgent
from docreactor.agents.table_lane import TableLane, Tempo
from docreactor.pipeline.errors import FencedError, ReactorError, RestoringError
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached

_AGAIN_S = 1.0

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
        self._bulletin = Bulletin(deployment.board, partition, row)
        self._pause = pause
        self._kept: dict[tuple[str, int], Kept] = {}
        self._serving: dict[str, int] = {}
        self._changed = asyncio.Event()
        self.ready = Reached(self._coordinator.ready(partition).next_offset)
        self._delays = deployment.delays(written)

    def serving(self, name: str, generation: int | None = None) -> Kept:
        """The generation that answers, or the one named; Restoring without it."""
        wanted = self._serving.get(name, -1) if generation is None else generation
        kept = self._kept.get((name, wanted))
        if kept is None:
            raise RestoringError(self._partition, state=f"without {name}")
        return kept

    def every(self) -> Iterator[Kept]:
        """All that are kept here."""
        yield from list(self._kept.values())

    def errors(self) -> Mapping[str, ReactorError | OSError]:
        """What holds up a model that serves here, by its name."""
        kept = [one for one in self._kept.values() if self._serving.get(one.name) == one.generation]
        return {one.name: one.error for one in kept if one.error is not None}

    def begin(self, viewed: int) -> None:
        """Take up what is to be kept; from then on it may be asked.

        The documents that serve are restored already, up to `viewed`.
        """
        self._deployment.board.watch(self._hear)
        self._related.listen(self._settle)
        self._reconcile()
        documents = self.serving(DOCUMENTS)
        documents.has_caught_up = True
        documents.reached.advance(viewed)

    async def run(self) -> None:
        """Until the feed is closed and every lane has ended; what ends one ends the others."""
        closed = asyncio.create_task(self.feed.closed())
        try:
            while not closed.done():
                self._reconcile()
                changed = asyncio.create_task(self._changed.wait())
                running = [one.task for one in self._kept.values() if one.task is not None]
                await asyncio.wait([changed, closed, *running], return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                self._changed.clear()
                for task in running:
                    if task.done():
                        task.result()
            for task in [one.task for one in self._kept.values() if one.task is not None]:
                await task
        finally:
            closed.cancel()
            self._deployment.board.unwatch(self._hear)
            self._related.forget(self._settle)
            tasks = [one.task for one in self._kept.values() if one.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(closed, *tasks, return_exceptions=True)

    def tell(self) -> None:
        """Publish where every generation is."""
        for kept in self.every():
            self._tell(kept)
        self._bulletin.tell_ready(self.ready.next_offset)

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
            if known is None or (not known.is_retired and generation in known.versions):
                continue
            if known.is_retired or not self._serves(kept):
                self._end(kept)
        self._settle()

    def _begin_kept(self, name: str, row: ModelRow) -> None:
        if name == RELATIONSHIPS:
            self._begin_relationships(row)
            return
        for generation in row.kept:
            if (name, generation) not in self._kept:
                projection = self._make(name, generation)
                if projection is not None:
                    self._begin(Kept(name, generation, projection))
                elif generation == row.generation:
                    self._bulletin.tell_lacking(row)

    def _begin_relationships(self, row: ModelRow) -> None:
        """Its edges are absolute rows on a topic: a rebuild tells the differences."""
        kept = next((one for one in self._kept.values() if one.name == RELATIONSHIPS), None)
        if kept is None:
            projection = self._make(RELATIONSHIPS, row.generation)
            if projection is not None:
                self._begin(Kept(RELATIONSHIPS, row.generation, projection))
        elif kept.generation < row.generation and kept.lane is not None:
            del self._kept[kept.name, kept.generation]
            self._bulletin.forget(kept)
            kept.generation = row.generation
            self._kept[kept.name, kept.generation] = kept
            self._serving[kept.name] = kept.generation
            self._deployment.background(self._refold(kept, kept.lane))

    async def _refold(self, kept: Kept, lane: TableLane) -> None:
        assert isinstance(kept.projection, RelationshipAgent)

        def tell(progress: float) -> None:
            lane.progress = progress
            kept.tell()

        kept.has_caught_up = False
        while not self.feed.is_closed:
            try:
                await kept.projection.refold(tell, stored=lane.stored)
            except FencedError:
                raise
            except (ReactorError, OSError) as error:
                kept.failed(error)
                await asyncio.sleep(_AGAIN_S)
            except LeftError:
                return
            else:
                kept.caught_up()
                return

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
        if self._serves(kept):
            self._delays.follow(kept.name, kept.reached)
        if isinstance(kept.projection, FrozenRows):
            kept.reached.advance(kept.projection.position)
        else:
            kept.lane = self._lane(kept)
            kept.task = asyncio.create_task(kept.lane.run())
        self._tell(kept)

    def _lane(self, kept: Kept) -> TableLane:
        settings = self._deployment.settings
        batch = Room(2 * settings.batch_jobs_max, 2 * settings.batch_bytes_max)
        ahead = Room(2 * batch.records, 2 * batch.bytes)
        return TableLane(
            self._deployment.log,
            self.feed,
            kept.projection,
            ahead,
            start=Offset(
                self._coordinator.models[kept.name].start(kept.generation, self._partition)
            ),
            stored=self._written,
            reached=kept.reached,
            tempo=Tempo(batch, lambda: not self._serves(kept), holds=kept.name in BUILT_IN),
            watch=kept,
            pause=lambda inbox: self._pause(inbox, kept),
        )

    def _end(self, kept: Kept) -> None:
        del self._kept[kept.name, kept.generation]
        if self._serving.get(kept.name) == kept.generation:
            del self._serving[kept.name]
        self._deployment.background(self._ended(kept))

    async def _ended(self, kept: Kept) -> None:
        if kept.lane is not None and kept.task is not None:
            kept.lane.stop()
            await asyncio.wait([kept.task])
        self._deployment.shelf.discard(self._partition, store_name(kept.name, kept.generation))
        self._bulletin.forget(kept)

    def _serves(self, kept: Kept) -> bool:
        return self._serving.get(kept.name) == kept.generation

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
        self._tell(kept)
        self._settle()

    def _settle(self, _: int = 0) -> None:
        """What every required model shows is ready."""
        least = min(self._reached(name) for name in self._coordinator.required)
        if least > self.ready.next_offset:
            self.ready.advance(least)
            self._bulletin.tell_ready(least)

    def _reached(self, name: str) -> int:
        if name == RELATIONSHIPS:
            return self._related.next_offset
        kept = self._kept.get((name, self._serving.get(name, -1)))
        return 0 if kept is None else kept.reached.next_offset

    def _tell(self, kept: Kept) -> None:
        self._bulletin.tell(kept, is_serving=self._serves(kept))
