"""Which jobs of one partition wait, stream by stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from docreactor.pipeline.deferred import Deferred, parse_deferred_key
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.keys import Stream
from docreactor.tables.store import AnyRow, Store

_RECORD = b"w/"
_RECORD_END = b"w0"
_BY_JOB = b"x/"
_AFTER_SLASH = b"0"
"""The byte after `/`: where the keys of a prefix that ends in a slash end."""


class DeferredTable:
    """Deferred jobs by stream and offset, and by id, as the records of `deferred` carry them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, job_id: str) -> Deferred | None:
        """None for a job that does not wait, or not any more."""
        key = self._store.get(_BY_JOB + job_id.encode())
        content = None if key is None else self._store.get(_RECORD + key)
        return None if content is None else Deferred.decode(content)

    def every(self) -> Iterator[Deferred]:
        """All of them: stream by stream, each stream's in the order of their offsets."""
        return self._decoded(_RECORD, _RECORD_END)

    def of(self, stream: Stream) -> Iterator[Deferred]:
        """A stream's, in the order of their offsets. Close the iterator or run it out."""
        prefix = _RECORD + stream.prefix.encode()
        return self._decoded(prefix, prefix[:-1] + _AFTER_SLASH)

    def of_document(self, document_id: str) -> Iterator[Deferred]:
        """A document's, of all its scopes and branches."""
        prefix = _RECORD + f"{document_id}/".encode()
        return self._decoded(prefix, prefix[:-1] + _AFTER_SLASH)

    def rows(self, records: Iterable[tuple[bytes, bytes | None]]) -> list[AnyRow]:
        """The rows of records in their order, None for a tombstone; what is no record has none."""
        rows: list[AnyRow] = []
        job_ids: dict[bytes, str] = {}
        for key, content in records:
            if not _is_key(key):
                continue
            before = job_ids.pop(key, None) or self._job_id(key)
            if before is not None:
                rows.append((_BY_JOB + before.encode(), None))
            job_id = None if content is None else _job_id(content)
            if job_id is None:
                rows.append((_RECORD + key, None))
            else:
                job_ids[key] = job_id
                rows += [(_RECORD + key, content), (_BY_JOB + job_id.encode(), key)]
        return rows

    def _job_id(self, key: bytes) -> str | None:
        content = self._store.get(_RECORD + key)
        return None if content is None else _job_id(content)

    def _decoded(self, start: bytes, end: bytes) -> Iterator[Deferred]:
        for _, content in self._store.scan(start, end):
            yield Deferred.decode(content)


def _is_key(key: bytes) -> bool:
    try:
        parse_deferred_key(key)
    except ValueError:
        return False
    return True


def _job_id(content: bytes) -> str | None:
    try:
        return Deferred.decode(content).job.id
    except UndecodableRecordError:
        return None
