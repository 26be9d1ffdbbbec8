"""What a batch of operations means to those who subscribe to documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.agents.placement import MOVED
from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.notice import CREATED, DELETED, UPDATED, EventName, Notice
from docreactor.pipeline.accepted import Accepted, accepted_document
from docreactor.pipeline.action import CREATE_DOCUMENT, DELETE_DOCUMENT
from docreactor.pipeline.canonical import JSON, encode
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import UndecodableRecordError, UnknownFormatError
from docreactor.pipeline.keys import parse_record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.pipeline.record import HEADERS, check_format

_DOCUMENTS_MAX = 10_000
_MOVED = MOVED[-1]


class _Place(NamedTuple):
    """A document on a branch; None for every branch."""

    document_id: str
    branch: str | None


@dataclass(slots=True)
class _Touched:
    """What was stored at one place: where it was created, deleted and erased, if it was."""

    document_type: str | None = None
    latest: int = 0
    created: int | None = None
    deleted: int | None = None
    is_erased: bool = False
    scopes: set[str] = field(default_factory=set[str])

    def notices(self, place: _Place, token: str) -> list[Notice]:
        """What is told of it: an update only where neither creation nor deletion says more."""
        told: list[Notice] = []
        if self.created is not None:
            told.append(self._notice(CREATED, self.created, place, token))
        if self.deleted is not None:
            told.append(self._notice(DELETED, self.deleted, place, token))
        return told or [self._notice(UPDATED, self.latest, place, token)]

    def _notice(self, event: EventName, offset: int, place: _Place, token: str) -> Notice:
        data: dict[str, JSON] = {
            "branch": place.branch,
            "document_id": place.document_id,
            "document_type": self.document_type,
            "scopes": sorted(self.scopes),
            "token": token,
        }
        if event == DELETED:
            data["erased"] = self.is_erased
        return Notice(
            event,
            Offset(offset),
            (place.document_id,),
            place.branch,
            self.document_type,
            None if self.is_erased else self.scopes,
            encode(data),
        )


class OperationsFold:
    """Collects what the operations of one batch do, document by document and branch by branch."""

    def __init__(self, log_id: str) -> None:
        self._log_id = log_id
        self._touched: dict[_Place, _Touched] = {}

    @property
    def is_full(self) -> bool:
        """Whether it holds as many documents as it may."""
        return len(self._touched) >= _DOCUMENTS_MAX

    def add(self, record: LogRecord) -> None:
        """Take the next record; one that makes no sense changes nothing."""
        key = record.key or b""
        if record.value is None:
            # An erasure removes record after record, and says so in the last.
            return
        try:
            erased = erased_document(key)
            if erased is not None:
                self._erased(record.offset, erased)
            elif accepted_document(key) is not None:
                self._accepted(record.offset, Accepted.decode(record.value))
            else:
                self._stored(record, key, record.value)
        except (UndecodableRecordError, UnknownFormatError, ValueError):
            # The view counts it.
            return

    def _erased(self, offset: int, document_id: str) -> None:
        one = self._touched.setdefault(_Place(document_id, None), _Touched())
        one.deleted, one.is_erased = offset, True

    def _accepted(self, offset: int, accepted: Accepted) -> None:
        """The document is shown as the present model has it."""
        places = [place.split("/") for place in accepted.labels]
        branches = {branch for _, branch in places}
        branch = branches.pop() if len(branches) == 1 else None
        one = self._touched.setdefault(_Place(accepted.document_id, branch), _Touched())
        one.latest = offset
        one.scopes.update(scope for scope, _ in places)

    def _stored(self, record: LogRecord, key: bytes, value: bytes) -> None:
        if record.headers != HEADERS:
            check_format(record.headers, "operations")
        stream, _ = parse_record_key(key)
        operation = Operation.decode(value)
        one = self._touched.setdefault(_Place(stream.document_id, stream.branch), _Touched())
        one.document_type = operation.document_type
        one.latest = record.offset
        one.scopes.add(stream.scope)
        if operation.error is not None or _MOVED in record.headers:
            return
        if operation.action.type == CREATE_DOCUMENT:
            one.created = record.offset
        elif operation.action.type == DELETE_DOCUMENT:
            one.deleted = record.offset

    def batch(self, source: TopicPartition, start: Offset, end: Offset) -> Batch:
        """What all the records give rise to."""
        wanted = Position(self._log_id, {Partition(source.partition): end})
        token = wanted.token
        notices = [
            notice
            for place, touched in self._touched.items()
            for notice in touched.notices(place, token)
        ]
        notices.sort(key=lambda notice: notice.offset)
        return Batch(source, start, end, wanted, notices)
