"""Derives documents anew in one read model of a running partition, while that goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from docreactor.agents.kept import Kept
from docreactor.agents.log import Log, LogRecord, TopicPartition
from docreactor.agents.read_models import ReadModels
from docreactor.agents.restore import FETCH_MS
from docreactor.agents.table_lane import TableLane
from docreactor.pipeline.accepted import accepted_document
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import RestoringError
from docreactor.pipeline.keys import parse_record_key
from docreactor.pipeline.position import Offset


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many documents were derived anew, and where to go on; None at the end."""

    documents: int
    next_offset: Offset | None


class Derivation:
    """One running partition's. Each call returns once it is done, or raises what prevents it."""

    def __init__(self, log: Log, source: TopicPartition, models: ReadModels) -> None:
        self._log = log
        self._source = source
        self._models = models

    def quarantined(self, name: str | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """The documents that serving read models have set aside: model, document id, problem."""
        for kept in self._models.every():
            if name in (None, kept.name) and self._models.serves(kept):
                for document_id, problem in kept.projection.quarantined():
                    yield kept.name, document_id, problem

    def holding(self, document_id: str | None, *, is_shown: bool) -> dict[str, Any]:
        """What keeps serving read models from showing a document: their errors, or its problems.

        What is shown already is held up by no error.
        """
        held: dict[str, Any] = {} if is_shown else dict(self._models.errors())
        for kept in self._models.every():
            if document_id is not None and self._models.serves(kept):
                problem = kept.projection.quarantine_of(document_id)
                if problem is not None:
                    held[kept.name] = problem
        return held

    async def retry(self, name: str, document_id: str) -> None:
        """Derive a document anew in every generation that is kept."""
        for kept, lane in self._generations(name):
            await lane.ask(partial(kept.projection.retry, document_id, lane.stored))

    async def clear(self, name: str, document_id: str) -> None:
        """Take a document back in every generation that is kept."""
        for kept, lane in self._generations(name):
            await lane.ask(partial(kept.projection.clear, document_id))

    async def replay(self, name: str, since: Offset, *, count_max: int) -> Replayed:
        """Derive anew what the next records from `since` on are about, as far as they are shown."""
        kept = self._models.serving(name)
        position, end, documents = since, Offset(kept.reached.next_offset), dict[str, None]()
        reader = await self._log.reader({self._source: since})
        try:
            while position < end and len(documents) < count_max:
                fetched = await reader.fetch(count_max=count_max, timeout_ms=FETCH_MS)
                batch = fetched.get(self._source)
                if batch is not None:
                    documents |= dict.fromkeys(_documents_of(batch.records))
                    position = batch.next_offset
        finally:
            await reader.close()
        for document_id in documents:
            await self.retry(name, document_id)
        return Replayed(len(documents), position if position < end else None)

    def _generations(self, name: str) -> Sequence[tuple[Kept, TableLane]]:
        """Those that are kept, but for rows that nobody can write any more; Restoring without."""
        if self._models.serving(name).lane is None:
            raise RestoringError(self._source.partition, state=f"without {name}")
        every = [kept for kept in self._models.every() if kept.name == name]
        return [(kept, kept.lane) for kept in every if kept.lane is not None]


def _documents_of(records: Sequence[LogRecord]) -> Iterator[str]:
    for record in records:
        key = record.key or b""
        if record.value is None or erased_document(key) is not None:
            continue
        accepted = accepted_document(key)
        if accepted is not None:
            yield accepted
            continue
        try:
            stream, _ = parse_record_key(key)
        except ValueError:
            continue
        yield stream.document_id
