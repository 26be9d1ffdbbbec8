"""What is kept of the operations of one partition: rows, and the position that produced them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol

from docreactor.agents.log import LogRecord
from docreactor.pipeline.position import Offset

Stored = Callable[[int], Awaitable[None]]
"""Returns when the operation store holds everything below an offset."""


class Projection(Protocol):
    """One read model's part of one partition. A lane feeds it, in the order of the log.

    What the document is to blame for it sets aside; any error out of it is of the place.
    """

    @property
    def name(self) -> str:
        """The read model's."""
        ...

    async def open(self) -> Offset:
        """Make ready what is kept; returns the next offset of `operations` to go on from."""
        ...

    async def apply(
        self, records: Sequence[LogRecord], next_offset: Offset, *, stored: Stored
    ) -> None:
        """Write the rows of these records and the position after them, in one write."""
        ...

    async def close(self) -> None:
        """Let go of what `open` took. Idempotent; `open` may follow."""
        ...

    def quarantined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The documents that were set aside, each with its problem, by id."""
        ...

    async def retry(self, document_id: str, stored: Stored) -> None:
        """Derive a document anew and take it back, if that goes; between two batches."""
        ...

    async def clear(self, document_id: str) -> None:
        """Take a document back that was set aside, as it was left; between two batches."""
        ...

    def quarantine_of(self, document_id: str) -> dict[str, Any] | None:
        """The problem of a document that was set aside."""
        ...

    def row(self) -> dict[str, Any]:
        """What its row on the board says beside where it is."""
        ...
