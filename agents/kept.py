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
    caught: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once its lane has been at the end of the log."""
    is_refolding: bool = False
    """Whether what it shows is being derived anew beside what its lane does."""
    tell: Callable[[], None] = lambda: None
    moved: Callable[[], None] = lambda: None
    count: Callable[[str], None] = lambda _: None

    @property
    def has_caught_up(self) -> bool:
        """Whether it shows all that there is but for what was written last."""
        return self.caught.is_set() and not self.is_refolding

    def failed(self, error: ReactorError | OSError | None) -> None:
        """As `Watch.failed`."""
        if error is not None:
            self.count(error.name() if isinstance(error, ReactorError) else "OSError")
        if error is not self.error:
            self.error = error
            self.tell()

    def caught_up(self) -> None:
        """As `Watch.caught_up`."""
        self.caught.set()
        self.tell()
        self.moved()

    def progressed(self) -> None:
        """As `Watch.progressed`."""
        self.tell()


def store_name(name: str, generation: int) -> str:
    """Where a generation's rows lie, within its partition."""
    if name == DOCUMENTS:
        return DOCUMENTS if generation == 0 else f"{DOCUMENTS}-{generation}"
    return RELATIONSHIPS if name == RELATIONSHIPS else f"models/{name}-{generation}"
