"""Makes a document's keyframes again, through the lane of whoever owns its partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from docreactor.agents.chores import Chore, Chores
from docreactor.agents.staging import Staging
from docreactor.pipeline.document import Document
from docreactor.pipeline.finding import Fault, Finding
from docreactor.pipeline.keys import Stream, record_key
from docreactor.tables.keyframe_plan import KeyframePlan, plan
from docreactor.tables.stream_check import Checked

_AT_ONCE = 100
_BYTES_AT_ONCE = 4 * 1024 * 1024


@dataclass(slots=True)
class Made:
    """How many keyframes were removed and stored, and what could not be replayed."""

    removed: int = 0
    stored: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])


async def make_keyframes(tables: Checked, chores: Chores, document_id: str) -> Made | None:
    """Remove every keyframe of the document and store those that its policy asks for.

    None for a document without operations. It may be written to meanwhile: what comes later keeps
    the keyframes that it was given.
    """
    streams = tables.operations.streams_of(document_id)
    if not streams:
        return None
    made = Made()
    documents: dict[str, Document | None] = {}
    for stream, head in sorted(streams, key=lambda pair: pair[0] != pair[0].home):
        document = documents.get(stream.branch)
        if stream != stream.home and document is None:
            planned = KeyframePlan(stream, head.next_index)
        else:
            planned = await plan(tables, stream, head.next_index, document)
        if stream == stream.home and planned.state is not None:
            documents[stream.branch] = planned.state.state
        if planned.broken is not None:
            detail = f"{planned.broken.name()}: {planned.broken.message}"
            made.findings.append(Finding(Fault.CORRUPT_HISTORY, *stream, None, detail))
        await _store(tables, chores, planned, made)
    return made


async def _store(tables: Checked, chores: Chores, planned: KeyframePlan, made: Made) -> None:
    keyframes, stream = tables.keyframes, planned.stream
    before = list(keyframes.labels(stream, planned.next_index - 1))
    gone = [record_key(stream, label) for label in before if label not in planned.wanted]
    contents = {record_key(stream, label): kept for label, kept in planned.wanted.items()}
    is_first = True
    for part in _parts(contents):
        make = partial(_staging, tables, stream, gone if is_first else [], part)
        await chores.ask(Chore(make, keyframes.forget))
        is_first = False
    made.removed += len(before)
    made.stored += len(contents)


def _staging(
    tables: Checked, stream: Stream, gone: list[bytes], kept: Mapping[bytes, bytes]
) -> Staging | None:
    """What is written; nothing for a stream that was erased meanwhile."""
    if tables.operations.head(stream) is None:
        return None
    staging = Staging(tables.keyframes.stage())
    staging.keyframes.remove(gone)
    staging.keyframes.put(kept)
    return staging if staging.keyframes.rows else None


def _parts(contents: Mapping[bytes, bytes]) -> Iterator[dict[bytes, bytes]]:
    """So many at a time that a transaction stays small; one part at least."""
    left = iter(contents.items())
    part = dict(islice(left, 1))
    while True:
        size = sum(map(len, part.values()))
        more = next(left, None)
        if more is None:
            yield part
            return
        if len(part) >= _AT_ONCE or size + len(more[1]) > _BYTES_AT_ONCE:
            yield part
            part = {}
        part[more[0]] = more[1]
