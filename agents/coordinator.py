"""How far the read models of the whole deployment are, as one node knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docreactor.agents.board import Board
from docreactor.agents.model_row import BUILT_IN, PREFIX, ModelRow, model_key
from docreactor.pipeline.errors import (
    NothingToRollBackError,
    NotYetVisibleError,
    ReadModelNotRetirableError,
    RestoringError,
    UnknownReadModelError,
)
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.tables.wait import Reached

VIEW_PREFIX = "view/"
READY_PREFIX = "ready/"


def view_key(name: str, generation: int, partition: int) -> str:
    """Key of what the owner of a partition tells of one generation of a read model."""
    return f"{VIEW_PREFIX}{name}/{generation}/{partition}"


def ready_key(partition: int) -> str:
    """Key of how far every required read model is."""
    return f"{READY_PREFIX}{partition}"


@dataclass(frozen=True, slots=True)
class _Place:
    """One partition of one generation, as its owner tells it."""

    is_serving: bool
    has_caught_up: bool


class Coordinator:
    """Reads the board. Positions never go back, whoever owns a partition."""

    def __init__(self, board: Board, log_id: str, partition_count: int) -> None:
        self._board = board
        self._log_id = log_id
        self._count = partition_count
        self._models: dict[str, ModelRow] = {}
        self._reached: dict[str, list[Reached]] = {}
        self._ready: list[Reached] = [Reached() for _ in range(partition_count)]
        self._places: dict[tuple[str, int], dict[int, _Place]] = {}
        board.watch(self._hear)

    @property
    def models(self) -> Mapping[str, ModelRow]:
        """The read models of the deployment, by name; read only."""
        return self._models

    @property
    def required(self) -> list[str]:
        """Those that READ_READY waits for."""
        users = [row.name for row in self._models.values() if row.is_required]
        return sorted({*BUILT_IN, *users})

    def model(self, name: str) -> ModelRow:
        """One of them, or UnknownReadModel."""
        row = self._models.get(name)
        if row is None:
            raise UnknownReadModelError(name, sorted(self._models))
        return row

    def kept(self, name: str) -> ModelRow:
        """As `model`, but for one that is retired too."""
        row = self.model(name)
        if row.is_retired:
            kept = sorted(one.name for one in self._models.values() if not one.is_retired)
            raise UnknownReadModelError(name, kept)
        return row

    def ready(self, partition: int) -> Reached:
        """How far every required read model shows a partition."""
        return self._ready[partition]

    def show(self, name: str, partition: int, next_offset: int) -> None:
        """Know at once what the board is going to tell: how far a serving generation is here."""
        self._of(name)[partition].advance(next_offset)

    def position(self, name: str | None = None) -> Position:
        """How far a read model is in every partition; without a name, every required one."""
        every = self._every(name)
        offsets = {Partition(number): Offset(one.next_offset) for number, one in enumerate(every)}
        return Position(self._log_id, {part: offset for part, offset in offsets.items() if offset})

    def reached(self, name: str, partition: int) -> int:
        """The next offset that a read model has not shown of a partition, whoever had it."""
        return self._of(name)[partition].next_offset

    async def wait(self, wanted: Position, timeout_s: float, *, name: str | None = None) -> None:
        """Return when `position` has reached it, or NotYetVisible."""
        every = self._every(name)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        try:
            for part, offset in wanted.next_offsets.items():
                if part < self._count:
                    await every[part].wait(offset, max(0.0, ends_at - loop.time()))
                elif offset:
                    raise TimeoutError
        except TimeoutError:
            reached = self.position(name)
            raise NotYetVisibleError(wanted=wanted.token, reached=reached.token) from None

    def served(self, name: str, partition: int) -> int | None:
        """The newest kept generation that is known to serve in a partition."""
        row = self._models.get(name)
        for generation in reversed(row.kept if row else []):
            place = self._places.get((name, generation), {}).get(partition)
            if place is not None and place.is_serving:
                return generation
        return None

    def common(self, name: str) -> int | None:
        """The generation that every partition can answer from: the one that is to serve, else the
        newest. None while there is none.
        """
        row = self._models.get(name)
        if row is None:
            return None
        for generation in (row.generation, *reversed(row.kept)):
            places = self._places.get((name, generation), {})
            if len(places) == self._count and all(
                place.has_caught_up or place.is_serving for place in places.values()
            ):
                return generation
        return None

    def answering(self, name: str) -> int | None:
        """The generation that a list over all partitions is answered from; None for any.

        Restoring while partitions answer from several and there is none that all have.
        """
        common = self.common(name)
        if common is None:
            serving = {self.served(name, partition) for partition in range(self._count)} - {None}
            if len(serving) > 1:
                raise RestoringError(None, state=f"between two generations of {name}")
        return common

    def declare(self, name: str, version: int) -> None:
        """Make a model known that this node runs; a newer version is built beside the old one."""
        row = self._models.get(name)
        if row is None:
            self._tell(ModelRow.first(name, version))
        elif not row.is_retired and version > max(row.versions.values()):
            self._tell(row.rebuilt(version))

    def rebuild(self, name: str, starts: Mapping[int, int] | None = None) -> ModelRow:
        """Have the owners build a generation beside the one that serves.

        With `starts` it is given nothing that lies before, partition by partition.
        """
        row = self.model(name)
        return self._tell(row.rebuilt(row.versions[max(row.versions)], starts))

    def roll_back(self, name: str) -> ModelRow:
        """Have the generation before serve again, or NothingToRollBack."""
        row = self.model(name).rolled_back()
        if row is None:
            raise NothingToRollBackError(name)
        return self._tell(row)

    def finish(self, name: str) -> ModelRow:
        """Have the owners drop every generation but the one that is to serve."""
        return self._tell(self.model(name).finished())

    def retire(self, name: str) -> ModelRow:
        """Have the owners drop a user's model; READ_READY waits for it no more."""
        if name in BUILT_IN:
            raise ReadModelNotRetirableError(name)
        return self._tell(self.model(name).retired())

    def revive(self, name: str) -> ModelRow:
        """Have the owners keep a retired model again; one that is not retired stays as it is."""
        row = self.model(name)
        return self._tell(row.revived()) if row.is_retired else row

    def _tell(self, row: ModelRow) -> ModelRow:
        self._board.tell(model_key(row.name), row.json)
        return row

    def _every(self, name: str | None) -> list[Reached]:
        if name is None:
            return self._ready
        if name not in BUILT_IN:
            self.model(name)
        return self._of(name)

    def _of(self, name: str) -> list[Reached]:
        known = self._reached.get(name)
        if known is None:
            known = self._reached[name] = [Reached() for _ in range(self._count)]
        return known

    def _hear(self, key: str, row: Mapping[str, Any]) -> None:
        if key.startswith(VIEW_PREFIX):
            self._hear_of_view(row)
        elif key.startswith(READY_PREFIX):
            partition = int(key.removeprefix(READY_PREFIX))
            if partition < self._count:
                self._ready[partition].advance(row["next_offset"])
        elif key.startswith(PREFIX):
            model = self._models[row["name"]] = ModelRow.parse(row)
            for name, generation in list(self._places):
                if name == model.name and not model.keeps(generation):
                    del self._places[name, generation]

    def _hear_of_view(self, row: Mapping[str, Any]) -> None:
        name: str = row["name"]
        partition: int = row["partition"]
        is_serving: bool = row.get("serving", True)
        if partition >= self._count:
            return
        generation = row.get("generation", 0)
        shown: int | None = row.get("next_offset") if is_serving else None
        # Where it is kept no more for now, its row tells how far it was.
        self._of(name)[partition].advance(shown or row.get("reached", 0))
        model = self._models.get(name)
        if model is not None and not model.keeps(generation):
            # Its owner has not heard yet that it is kept no more.
            return
        caught_up = bool(row.get("caught_up", False))
        place = _Place(is_serving, caught_up)
        places = self._places.setdefault((name, generation), {})
        is_new = places.get(partition) != place
        places[partition] = place
        if is_new and caught_up:
            self._require(name, generation)

    def _require(self, name: str, generation: int) -> None:
        """A model is waited for from the moment that it has caught up everywhere."""
        row = self._models.get(name)
        if row is None or row.is_required or row.is_retired or generation != row.generation:
            return
        places = self._places[name, generation]
        if len(places) == self._count and all(one.has_caught_up for one in places.values()):
            self._tell(row.required())
