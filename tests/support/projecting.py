"""A projection that keeps nothing but the offsets that it was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from docreactor.agents.log import LogRecord
from docreactor.agents.projection import Projection, Stored
from docreactor.pipeline.position import Offset


class Nothing:
    """It begins where it is told to, and fails as often as it is told to."""

    def __init__(self, name: str = "documents", position: int = 0) -> None:
        self.name = name
        self.position = position
        self.given: list[int] = []
        self.opened = self.closed = 0
        self.failures: list[Exception] = []

    async def open(self) -> Offset:
        self.opened += 1
        self._fail()
        return Offset(self.position)

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored
    ) -> None:
        self._fail()
        self.given += [record.offset for record in records]
        self.position = next_offset

    async def close(self) -> None:
        self.closed += 1

    async def retry(self, document_id: str, stored: Stored) -> None:
        return None

    async def clear(self, document_id: str) -> None:
        return None

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return iter(())

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        return None

    def row(self) -> dict[str, Any]:
        return {}

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


def as_projection(nothing: Nothing) -> Projection:
    """For a type checker: it is one."""
    return nothing
