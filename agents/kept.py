"""One generation of one read model in one partition, as a lane keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from docreactor.agents.model_row import DOCUMENTS, RELATIONSHIPS
from docreactor.agents.projection import Projection
from docreactor.agents.table_lane import TableLane
from docreactor.pipeline.errors import ReactorError
from docreactor.tables.wait import Reached


@dataclass(slots=True, eq=False)
class Kept:
    """One generation of one read model in one partition."""

    name: str
    generation: int
    projection: Projection
    reached: Reached = field(default_factory=Reached)
    lane: TableLane | None = None
    task: asyncio.Task[None] | None = None
    error: ReactorError | OSError | None = None
    has_caught_up: bool = False
    tell: Callable[[], None] = lambda: None
    moved: Callable[[], None] = lambda: None
    count: Callable[[str], None] = lambda _: None

    def failed(self, error: ReactorError | OSError | None) -> None:
        """As `Watch.failed`."""
        if error is not None:
            self.count(error.name() if isinstance(error, ReactorError) else "OSError")
        if error is not self.error:
            self.error = error
            self.tell()

    def caught_up(self) -> None:
        """As `Watch.caught_up`."""
        self.has_caught_up = True
        self.moved()

    def progressed(self) -> None:
        """As `Watch.progressed`."""
        self.tell()


def store_name(name: str, generation: int) -> str:
    """Where a generation's rows lie, within its partition."""
    if name == DOCUMENTS:
        return DOCUMENTS if generation == 0 else f"{DOCUMENTS}-{generation}"
    return RELATIONSHIPS if name == RELATIONSHIPS else f"models/{name}-{generation}"
