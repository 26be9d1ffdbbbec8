"""The stored operations of a stream, searched page by page."""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_right
from dataclasses import dataclass

from docreactor.pipeline.keys import Stream
from docreactor.tables import fields
from docreactor.tables.descent import standing
from docreactor.tables.lru import Lru
from docreactor.tables.operations import OperationsTable

_PAGE = 100
_STREAMS_KNOWN_MAX = 16


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
        return not self.types or fields.standing(content).action_type in self.types


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


class EffectiveHistory:
    """Finds as `find` does, among those operations that no later one supersedes.

    The newest operation may supersede all others, so it looks at each of them; what stands it
    remembers for a few streams, for whoever turns the pages.
    """

    def __init__(self) -> None:
        self._known: Lru[tuple[Stream, str | None], _Standing] = Lru(_STREAMS_KNOWN_MAX)

    async def find(
        self,
        operations: OperationsTable,
        stream: Stream,
        selection: Selection,
        *,
        since: int = -1,
        limit: int,
    ) -> HistoryPage:
        """At most `limit` operations whose index is greater than `since`."""
        head = operations.head(stream)
        if head is None:
            return HistoryPage([], None)
        # The digest of the newest operation is one of all before it: it names this very history.
        known = self._known.get((stream, head.previous))
        if known is None or known.since > since:
            known = await _standing(operations, stream, head.next_index - 1, since)
            self._known.put((stream, head.previous), known)
        found: list[tuple[int, bytes]] = []
        for first in range(bisect_right(known.indexes, since), len(known.indexes), _PAGE):
            indexes = known.indexes[first : first + _PAGE]
            contents = operations.get_many(stream, indexes)
            for index, content in zip(indexes, contents, strict=True):
                # An erasure may have come between.
                if content is None or not selection.holds(content):
                    continue
                if len(found) == limit:
                    return HistoryPage(found, found[-1][0])
                found.append((index, content))
            await asyncio.sleep(0)
        return HistoryPage(found, None)


@dataclass(frozen=True, slots=True)
class _Standing:
    """The indexes greater than `since` that stand, ascending."""

    since: int
    indexes: array[int]


async def _standing(
    operations: OperationsTable, stream: Stream, newest: int, since: int
) -> _Standing:
    indexes = array("q")
    async for index, _, _ in standing(operations, stream, newest):
        if index <= since:
            break
        indexes.append(index)
    indexes.reverse()
    return _Standing(since, indexes)
