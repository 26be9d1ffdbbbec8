"""Rows of an earlier version of a user's read model: asked until the new ones have caught up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from docreactor.agents.log import LogRecord
from docreactor.agents.projection import Stored
from docreactor.pipeline.position import Offset
from docreactor.tables.rows import RowsTable
from docreactor.tables.store import Store


class FrozenRows:
    """A projection that takes nothing: the code that wrote its rows is not here any more."""

    def __init__(self, name: str, topic: str, store: Store) -> None:
        self.name = name
        self.table = RowsTable(store)
        self._topic = topic
        self._store = store

    @property
    def position(self) -> Offset:
        """The next offset that the rows lack."""
        return self._store.positions().get(self._topic, Offset(0))

    async def open(self) -> Offset:
        """As `Projection.open`."""
        return self.position

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored
    ) -> None:
        """Nothing."""

    async def retry(self, document_id: str, stored: Stored) -> None:
        """Nothing."""

    async def clear(self, document_id: str) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """None: what was set aside is tried again by the new version."""
        return iter(())

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        """None."""
        return None

    def row(self) -> dict[str, Any]:
        """As `Projection.row`."""
        return {}
