"""Fills an empty documents table from the operation store and its keyframes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice

from docreactor.agents.metrics import Metrics
from docreactor.agents.view import OF_THE_DOCUMENT
from docreactor.pipeline.document import Document
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.position import Offset
from docreactor.pipeline.problem import problem
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.cache import WriteCache
from docreactor.tables.documents import DocumentsStage, DocumentsTable
from docreactor.tables.operations import Head, OperationsTable

_STREAMS_AT_ONCE = 200


async def seed(
    table: DocumentsTable,
    operations: OperationsTable,
    cache: WriteCache,
    *,
    topic: str,
    position: Offset,
    now_ms: Callable[[], int],
    metrics: Metrics,
    progress: Callable[[float], None],
) -> int:
    """Write what every stream shows at its head, and the position with the last of them.

    The table is empty; `position` is the operation store's. A keyframe serves where its hash is the
    one that its operation recorded; what follows it is reduced and checked. Ended early, it leaves
    rows without a position. Returns how many streams there are.
    """
    total = operations.stream_count()
    streams = operations.streams()
    done = 0
    broken: set[str] = set()
    while some := list(islice(streams, _STREAMS_AT_ONCE)):
        stage = table.stage()
        for stream, head in some:
            if stream.document_id not in broken:
                await _add(stage, cache, metrics, stream, head)
                if stage.is_quarantined(stream.document_id):
                    broken.add(stream.document_id)
        done += len(some)
        table.store.write(stage.rows(), {}, now_ms=now_ms())
        progress(min(1.0, done / total))
        await asyncio.sleep(0)
    table.store.write([], {topic: position}, now_ms=now_ms())
    return done


async def _add(
    stage: DocumentsStage, cache: WriteCache, metrics: Metrics, stream: Stream, head: Head
) -> None:
    try:
        home = await cache.get(stream.home)
        state = await cache.get(stream)
    except OF_THE_DOCUMENT as error:
        metrics.errors.labels(error.name()).inc()
        stage.quarantine(stream.document_id, problem(error))
        return
    document: Document = home.state
    latest = render(Microseconds(head.latest_us))
    stage.add(stream, state, latest, document.document_type)
