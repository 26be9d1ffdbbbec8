"""A history with a view and keyframes of it, all right until something is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.finding import Fault
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.settings import Settings
from docreactor.tables import fields
from docreactor.tables.documents import DocumentsTable
from docreactor.tables.keyframes import Keyframes, StoreKeyValueStore, keyframe_rows
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import Row
from docreactor.tables.stream_check import Checked
from docreactor.tables.verification import Verdict, verify
from tests.tables.written import NOTES_TYPE, Written, home

GLOBAL = Stream("d", "global", "main")


@dataclass
class Verifiable:
    """One document, `d`, as a worker would have left it."""

    written: Written = field(default_factory=Written)
    view: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.keyframes = Keyframes(StoreKeyValueStore(self.written.store), Settings())
        self.documents = DocumentsTable(self.view, self.written.replay)

    @classmethod
    def filled(cls, lines: int = 30) -> Verifiable:
        """So many lines, the half of them under keyframes."""
        place = cls()
        place.written.create("d", slug="notes")
        place.written.add(GLOBAL, lines)
        place.keep(lines // 2)
        place.show()
        return place

    def keep(self, *labels: int, content: bytes | None = None) -> None:
        """Store keyframes of `global`."""
        rows = [
            Row(record_key(GLOBAL, label), content or self.written.keyframe(GLOBAL, label))
            for label in labels
        ]
        self.written.write(keyframe_rows(rows))

    def show(self) -> None:
        """Let the view show what every stream holds."""
        stage = self.documents.stage()
        for stream in (home("d"), *self.written.states):
            states = self.written.states[stream]
            content = self.written.operations.get(stream, len(states) - 1) or b""
            stage.add(stream, states[-1], fields.timestamp(content).decode(), NOTES_TYPE)
        self.view.write(stage.rows(), {}, now_ms=1)

    def change(self, index: int, change: Callable[[dict[str, Any]], Any]) -> None:
        """Write another operation of `global` over a stored one."""
        stored = decode(self.written.operations.get(GLOBAL, index) or b"")
        change(stored)
        self.put(index, encode(stored))

    def put(self, index: int, content: bytes | None) -> None:
        """Whatever it is."""
        self.written.write([Row(b"o/" + record_key(GLOBAL, index), content)])

    @property
    def tables(self) -> Checked:
        operations = self.written.operations
        return Checked(self.written.replay, Settings(), operations, self.keyframes, self.documents)

    async def verdict(self) -> Verdict:
        found = await verify(self.tables, "d")
        assert found is not None
        return found

    async def faults(self) -> list[tuple[Fault, int | None]]:
        """What is wrong, and where."""
        return [(one.fault, one.index) for one in (await self.verdict()).findings]
