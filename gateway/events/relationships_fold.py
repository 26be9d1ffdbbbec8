"""What a batch of edges means to those who subscribe to relationships."""

from __future__ import annotations

from docreactor.agents.edge_record import read_change, read_position
from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.notice import RELATED, Notice
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.edge import POSITION_KEY, Change
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.position import Offset, Partition, Position


class RelationshipsFold:
    """Collects every change of an edge, and how far in `operations` the batch is."""

    is_full = False
    """Never: the record that says how far it is ends the batch."""

    def __init__(self, log_id: str) -> None:
        self._log_id = log_id
        self._changes: list[tuple[int, Change]] = []
        self._operations: Offset | None = None

    def add(self, record: LogRecord) -> None:
        """Take the next record; one that makes no sense changes nothing."""
        try:
            if record.key == POSITION_KEY:
                self._operations = read_position(record.value)
            else:
                self._changes.append((record.offset, read_change(record)))
        except UndecodableRecordError:
            # What else is told there is the graph's business.
            return

    def batch(self, source: TopicPartition, start: Offset, end: Offset) -> Batch:
        """What all the records give rise to."""
        reached: dict[Partition, Offset] = {}
        if self._operations is not None:
            reached[Partition(source.partition)] = self._operations
        wanted = Position(self._log_id, reached)
        token = wanted.token
        notices = [_notice(Offset(offset), change, token) for offset, change in self._changes]
        return Batch(source, start, end, wanted, notices)


def _notice(offset: Offset, change: Change, token: str) -> Notice:
    key = change.key
    data = encode({**key._asdict(), "change": change.kind, "token": token})
    return Notice(RELATED, offset, (key.source_id, key.target_id), key.branch, None, None, data)
