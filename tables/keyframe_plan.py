"""Which keyframes a stream should have, made again from its operations alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import ReactorError, UnknownModelError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.descent import PAGE
from docreactor.tables.keyframes import Keyframes, MemoryKeyValueStore
from docreactor.tables.refold import Refold
from docreactor.tables.stream_check import STRETCH_S, Checked


@dataclass(slots=True)
class KeyframePlan:
    """The keyframes of one stream up to where it stood, by label.

    `broken` says why it ends before: what cannot be replayed has no keyframes. `state` is the last.
    """

    stream: Stream
    next_index: int
    wanted: dict[int, bytes] = field(default_factory=dict[int, bytes])
    broken: ReactorError | None = None
    state: StreamState | None = None


async def plan(
    tables: Checked, stream: Stream, next_index: int, document: Document | None
) -> KeyframePlan:
    """Walk the stream, and keep what a reducer with these settings would have kept.

    The loop gets its turn. UnknownModel where the model is not here.
    """
    found = KeyframePlan(stream, next_index)
    values = MemoryKeyValueStore()
    keyframes = Keyframes(values, tables.settings)
    fold = Refold(tables.replay, tables.operations, tables.settings, stream, document)
    newest, size, since, at = -1, 0, perf_counter(), 0
    while at < next_index and found.broken is None:
        page = tables.operations.page(stream, at, min(PAGE, next_index - at))
        if not page:
            break
        for index, content in page:
            try:
                operation = Operation.decode(content)
                state = found.state = await fold.advance(operation)
            except UnknownModelError:
                raise
            except ReactorError as error:
                found.broken = error
                break
            size += len(content)
            if keyframes.due(index, newest, size, len(state.content)):
                stage = keyframes.stage()
                kept = tables.replay.encode(stream, state, operation.document_type)
                stage.add(stream, index, kept)
                stage.publish()
                newest, size = index, 0
            if perf_counter() - since > STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        at = page[-1][0] + 1
    found.wanted = dict(keyframes.nearest(stream))
    return found
