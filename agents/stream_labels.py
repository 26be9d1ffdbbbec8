"""Where the `document` streams of documents stand at a position of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docreactor.agents.log import Fetched, Log, TopicPartition
from docreactor.agents.restore import restore
from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import RestoringError
from docreactor.pipeline.keys import Stream, parse_record_key
from docreactor.pipeline.position import Offset
from docreactor.tables.operations import OperationsTable
from docreactor.tables.store import Store

_AHEAD_MAX = 50_000
_BEFORE_FIRST = -1


class StreamLabels:
    """Says of each stream which operation was its last below an offset of `operations`.

    The operation store is ahead of that, mostly by nothing: what lies between is read.
    """

    def __init__(self, log: Log, source: TopicPartition, write_store: Store) -> None:
        self._log = log
        self._source = source
        self._store = write_store
        self._operations = OperationsTable(write_store)

    async def below(
        self, document_ids: Sequence[str], position: Offset
    ) -> Mapping[str, Mapping[Stream, int]]:
        """The label of every `document` stream of these documents; -1 before its first operation.

        Without those of which an erasure is still to be met. The store holds all below the
        position; Restoring where it is very far ahead.
        """
        # Heads and position at one moment: whoever moves them does both in one write.
        stored_to = self._store.positions().get(self._source.topic, Offset(0))
        labels = {document_id: self._heads(document_id) for document_id in document_ids}
        if stored_to - position > _AHEAD_MAX:
            raise RestoringError(self._source.partition, state="catching up")

        async def cut(source: TopicPartition, fetched: Fetched) -> None:
            for record in fetched.records:
                _cut(labels, record.key or b"")

        await restore(
            self._log, {self._source: position}, {self._source: stored_to}, cut, lambda _: None
        )
        return labels

    def _heads(self, document_id: str) -> dict[Stream, int]:
        streams = self._operations.streams_of(document_id)
        return {
            stream: head.next_index - 1
            for stream, head in streams
            if stream.scope == DOCUMENT_SCOPE
        }


def _cut(labels: dict[str, dict[Stream, int]], key: bytes) -> None:
    """Leave out what a record beyond the position says."""
    erased = erased_document(key)
    if erased is not None:
        labels.pop(erased, None)
        return
    try:
        stream, index = parse_record_key(key)
    except ValueError:
        return
    of_document = labels.get(stream.document_id, {})
    if stream in of_document:
        of_document[stream] = max(_BEFORE_FIRST, min(of_document[stream], index - 1))
