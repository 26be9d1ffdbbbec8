"""The stored operations of a stream, searched page by page."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from docreactor.pipeline.canonical import decode
from docreactor.pipeline.keys import Stream
from docreactor.tables import fields
from docreactor.tables.descent import standing
from docreactor.tables.operations import OperationsTable

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """Which operations: of any of the types, made between two times, both included.

    No types means every type. Times are in the form of `timestamp.render`.
    """

    types: frozenset[str] = frozenset()
    from_: str | None = None
    to: str | None = None

    def holds(self, content: bytes) -> bool:
        """Whether a stored operation is one of them."""
        if self.from_ is not None or self.to is not None:
            made_at = fields.timestamp(content).decode()
            if self.from_ is not None and made_at < self.from_:
                return False
            if self.to is not None and made_at > self.to:
                return False
        return not self.types or decode(content)["action"]["type"] in self.types


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Operations by index, ascending. `next_since` continues after them, None at the end."""

    operations: list[tuple[int, bytes]]
    next_since: int | None


async def find(
    operations: OperationsTable,
    stream: Stream,
    selection: Selection,
    *,
    since: int = -1,
    limit: int,
) -> HistoryPage:
    """At most `limit` operations whose index is greater than `since`.

    The loop gets its turn after every page read, so the caller can cancel.
    """
    found: list[tuple[int, bytes]] = []
    first_index = since + 1
    while True:
        page = operations.page(stream, first_index, _PAGE)
        for index, content in page:
            if not selection.holds(content):
                continue
            if len(found) == limit:
                return HistoryPage(found, found[-1][0] if found else since)
            found.append((index, content))
        if len(page) < _PAGE:
            return HistoryPage(found, None)
        first_index = page[-1][0] + 1
        await asyncio.sleep(0)


async def find_effective(
    operations: OperationsTable,
    stream: Stream,
    selection: Selection,
    *,
    since: int = -1,
    limit: int,
) -> HistoryPage:
    """As `find`, among those operations that no later one supersedes.

    It looks at every operation after `since`, since the newest may supersede all of them.
    """
    # Going down, the last ones met are the first ones of the page.
    met: deque[tuple[int, bytes]] = deque(maxlen=limit + 1)
    head = operations.head(stream)
    newest = -1 if head is None else head.next_index - 1
    async for index, _, content in standing(operations, stream, newest):
        if index <= since:
            break
        if selection.holds(content):
            met.append((index, content))
    found = list(reversed(met))
    if len(found) <= limit:
        return HistoryPage(found, None)
    return HistoryPage(found[:limit], found[limit - 1][0])
