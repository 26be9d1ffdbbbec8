"""The edges of one document, folded from its stored operations."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from docreactor.pipeline.edge import Edge, EdgeKey, Edges
from docreactor.pipeline.errors import CorruptHistoryError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.tables.descent import ORIGIN, PAGE, Descent, History


async def fold_edges(history: History, stream: Stream, label: int) -> Mapping[EdgeKey, Edge]:
    """What the effective history of a `document` stream up to a label makes of its edges.

    What was undone or failed says nothing. CorruptHistory where the stream has a gap. The loop
    gets its turn after every page.
    """
    descent = Descent(history, stream, label)
    await descent.reach(ORIGIN)
    edges = Edges(branch=stream.branch)
    indexes = descent.counting(ORIGIN)
    for start in range(0, len(indexes), PAGE):
        page = indexes[start : start + PAGE]
        for index, content in zip(page, history.get_many(stream, page), strict=True):
            if content is None:
                raise CorruptHistoryError(f"{stream.prefix}: no operation {index}")
            edges.apply(Operation.decode(content))
        await asyncio.sleep(0)
    return edges.current
