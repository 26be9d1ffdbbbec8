"""Walks one stored stream from its beginning and compares everything that was made of it."""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import dataclass, field
from time import perf_counter

from docreactor.pipeline.chain import BEGINNING, follow
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    HashMismatchError,
    ReactorError,
    UndecodableRecordError,
    UnknownModelError,
)
from docreactor.pipeline.finding import Fault, Finding
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.order import key_of
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.descent import PAGE, standing
from docreactor.tables.documents import DocumentsTable
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import Head, OperationsTable
from docreactor.tables.refold import Refold

STRETCH_S = 0.02
_FINDINGS_MAX = 100


@dataclass(frozen=True, slots=True)
class Checked:
    """The tables of one partition, and what replays them. All of it is only read."""

    replay: Replay
    settings: Settings
    operations: OperationsTable
    keyframes: Keyframes
    documents: DocumentsTable


@dataclass(slots=True)
class StreamCheck:
    """One walk over one stream, up to the head that it had."""

    tables: Checked
    stream: Stream
    head: Head
    row: bytes | None
    """The view's row as it was before the head was read."""
    findings: list[Finding] = field(default_factory=list[Finding])
    left_off: int = 0
    """How many more there were than are kept."""
    _labels: set[int] = field(default_factory=set[int])
    _starts: array[int] = field(default_factory=lambda: array("q"))
    _refold: Refold | None = None
    _state: StreamState | None = None
    _shown_label: int | None = None

    async def run(self, document: Document | None) -> StreamState | None:
        """The state at the head, None where replay ends before; the loop gets its turn.

        `document` is what the stream's operations are of, None for scope `document` itself.
        """
        tables, stream = self.tables, self.stream
        self._refold = Refold(tables.replay, tables.operations, tables.settings, stream, document)
        self._labels = set(tables.keyframes.labels(stream))
        self._read_row()
        link, since, is_whole = BEGINNING, perf_counter(), True
        while link.next_index < self.head.next_index:
            left = self.head.next_index - link.next_index
            page = tables.operations.page(stream, link.next_index, min(PAGE, left))
            if not page:
                self._found(Fault.INDEX_GAP, self.head.next_index - 1, "operations are missing")
                break
            for index, content in page:
                if index >= self.head.next_index:
                    break
                link, operation, findings = follow(link, stream, index, content)
                for finding in findings:
                    self._add(finding)
                is_whole = is_whole and operation is not None and not _breaks(findings)
                if operation is not None and is_whole:
                    self._check_skip(operation)
                    await self._replayed(operation)
                if perf_counter() - since > STRETCH_S:
                    await asyncio.sleep(0)
                    since = perf_counter()
            await asyncio.sleep(0)
        self._check_head(link.next_index, link.previous)
        is_whole = is_whole and link.next_index == self.head.next_index
        if is_whole:
            await self._check_order()
        return self._state if is_whole else None

    def without_document(self) -> None:
        """Tell that nobody can say what the stream's operations are of."""
        self._found(Fault.CORRUPT_HISTORY, None, "its document cannot be replayed")

    def told(self) -> list[Finding]:
        """What was found; the last says how many more there were, if there were too many."""
        if not self.left_off:
            return self.findings
        detail = f"{self.left_off} more of this stream are not listed"
        return [*self.findings, Finding(Fault.MORE_FINDINGS, *self.stream, None, detail)]

    async def _replayed(self, operation: Operation) -> None:
        """Its hash, and what was kept of the state after it. The first that is wrong is told."""
        if self._refold is None:
            return
        index = operation.index
        try:
            state = await self._refold.advance(operation)
        except UnknownModelError:
            raise
        except HashMismatchError as error:
            self._found(Fault.HASH_MISMATCH, index, error.message)
            self._refold = self._state = None
            return
        except ReactorError as error:
            self._found(Fault.CORRUPT_HISTORY, index, f"{error.name()}: {error.message}")
            self._refold = self._state = None
            return
        self._state = state
        if index in self._labels:
            self._check_keyframe(state)
        if index == self._shown_label:
            expected = self.tables.replay.encode(self.stream, state, operation.document_type)
            if expected != self.row:
                self._found(Fault.VIEW_DIFFERS, index, "the table's row is not what replay gives")

    def _check_keyframe(self, state: StreamState) -> None:
        content = self.tables.keyframes.get(self.stream, state.label)
        if content is None:
            return
        try:
            kept = self.tables.replay.decode(self.stream, content)
        except UndecodableRecordError as error:
            self._found(Fault.CORRUPT_KEYFRAME, state.label, error.message)
            return
        if (kept.label, kept.hash) != (state.label, state.hash):
            self._found(
                Fault.CORRUPT_KEYFRAME,
                state.label,
                f"it holds state {kept.label} with hash {kept.hash}, replay gives {state.hash}",
            )

    def _read_row(self) -> None:
        """Which label the view shows. It is behind the head at most."""
        if self.row is None:
            self._found(Fault.VIEW_DIFFERS, None, "the table has no row of the stream")
            return
        try:
            self._shown_label = self.tables.replay.decode(self.stream, self.row).label
        except UndecodableRecordError as error:
            self._found(Fault.VIEW_DIFFERS, None, error.message)
            return
        if self._shown_label >= self.head.next_index:
            self._found(Fault.VIEW_DIFFERS, self._shown_label, "the table is ahead of the log")

    def _check_skip(self, operation: Operation) -> None:
        """What an operation supersedes are whole operations, not parts of what they superseded."""
        starts, start = self._starts, operation.index - operation.skip
        found = not operation.skip
        while starts and starts[-1] >= start:
            found = starts.pop() == start
        if not found:
            self._found(Fault.INVALID_SKIP, operation.index, f"it skips {operation.skip}")
        starts.append(start)

    def _check_head(self, next_index: int, previous: str | None) -> None:
        for label in sorted(self._labels):
            if label >= self.head.next_index:
                self._found(Fault.CORRUPT_KEYFRAME, label, "its operation does not exist")
        if (next_index, previous) != (self.head.next_index, self.head.previous):
            self._found(
                Fault.HEAD_DIFFERS, None, f"the table's head says {self.head.next_index} operations"
            )

    async def _check_order(self) -> None:
        """The effective history ascends by its key; it is walked from the newest to the oldest."""
        above = None
        async for index, _, content in standing(
            self.tables.operations, self.stream, self.head.next_index - 1
        ):
            operation = Operation.decode(content)
            key = key_of(operation.action, operation.timestamp)
            if above is not None and key >= above[1]:
                self._found(Fault.OUT_OF_ORDER, above[0], f"it stands after operation {index}")
            above = index, key

    def _found(self, fault: Fault, index: int | None, detail: str) -> None:
        self._add(Finding(fault, *self.stream, index, detail))

    def _add(self, finding: Finding) -> None:
        if len(self.findings) < _FINDINGS_MAX:
            self.findings.append(finding)
        else:
            self.left_off += 1


def _breaks(findings: list[Finding]) -> bool:
    """Whether replay cannot go on after these."""
    stopping = (Fault.INDEX_GAP, Fault.WRONG_INDEX, Fault.WRONG_SCOPE, Fault.INVALID_SKIP)
    return any(finding.fault in stopping for finding in findings)
