"""The way through all documents of a partition, to derive the edges of each anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from docreactor.tables.edges import EdgesTable
from docreactor.tables.operations import OperationsTable

Derive = Callable[[Sequence[str]], Awaitable[int]]
"""Derives the edges of the first of these documents; returns of how many, one at least."""

_AT_ONCE = 200


class EdgeRefold:
    """Meets every document that has operations, and every one that has edges, once."""

    def __init__(self, operations: OperationsTable, table: EdgesTable) -> None:
        self._operations = operations
        self._table = table

    async def run(self, derive: Derive, progress: Callable[[float], None]) -> int:
        """Derive them all, telling from 0 to 1 how far that is; returns how many they were."""
        total, done = await self._count(), 0
        after: str | None = ""
        while after is not None:
            document_ids, after = self._some(after)
            while document_ids:
                count = await derive(document_ids)
                document_ids = document_ids[count:]
                done += count
                progress(min(1.0, done / max(1, total)))
                await asyncio.sleep(0)
        progress(1.0)
        return done

    async def _count(self) -> int:
        count = 0
        after: str | None = ""
        while after is not None:
            document_ids, after = self._some(after)
            count += len(document_ids)
            await asyncio.sleep(0)
        return count

    def _some(self, after: str) -> tuple[list[str], str | None]:
        """The next documents, and the last of them if more follow."""
        found = {
            *self._operations.documents_after(after, _AT_ONCE),
            *self._table.sources_after(after, _AT_ONCE),
        }
        some = sorted(found, key=_order)[:_AT_ONCE]
        return some, some[-1] if len(some) == _AT_ONCE else None


def _order(document_id: str) -> bytes:
    """As their rows lie, each behind its document's id and a slash."""
    return document_id.encode() + b"/"
