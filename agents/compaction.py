"""Takes what was erased out of a store's files, and goes on with it where a process ended."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from docreactor.tables.remains import Remaining, Remains, together
from docreactor.tables.store import Store

_AT_ONCE = 50
"""So many documents are compacted together: where there are many, one by one takes far longer."""
_FIRST, _AFTER_LAST = b"", b"\xff"


async def compact(store: Store, document_ids: Collection[str]) -> None:
    """Leave nothing of these documents in the store's files; the loop goes on meanwhile.

    Nothing is done for a document that was not erased, or is done with.
    """
    if document_ids:
        found = Remains(store).of(sorted(document_ids))
        for start in range(0, len(found), _AT_ONCE):
            await _compact(store, found[start : start + _AT_ONCE])


async def compact_remains(store: Store) -> None:
    """As `compact`, for every document of which that is still to be done."""
    remains = Remains(store)
    while some := remains.some(_AT_ONCE):
        await _compact(store, some)


async def compact_all(store: Store) -> None:
    """Leave nothing of whatever was removed in the store's files."""
    await _to_end(store, _FIRST, _AFTER_LAST)


async def _compact(store: Store, some: Sequence[Remaining]) -> None:
    remains = Remains(store)
    if len(some) < _AT_ONCE:
        ranges = [one for _, found in some for one in found]
    else:
        ranges = together(some)
    for start, end in ranges:
        await _to_end(store, start, end)
    if ranges:
        # A slug is part of its row's key, and so of what is remembered here.
        _write(store, [remains.row(document_id, ()) for document_id, _ in some])
    await _to_end(store, *remains.own_range(some))
    _write(store, [remains.done_row(document_id) for document_id, _ in some])


def _write(store: Store, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
    # The time of a write says how much of the log the store has seen: this adds nothing.
    store.write(rows, {}, now_ms=store.written_ms or 0)


async def _to_end(store: Store, start: bytes, end: bytes) -> None:
    """A store cannot be closed while a thread is at it: whoever is cancelled waits, every time."""
    running = asyncio.get_running_loop().run_in_executor(None, store.compact, start, end)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    running.result()
