"""What became of one partition's jobs."""

from __future__ import annotations

from itertools import islice

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.job import JobResult
from docreactor.tables.store import Row, Store

_SPACE = b"j/"
_SPACE_END = b"j0"


class JobsTable:
    """Job results by id, as the records of `jobs` carry them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, job_id: str) -> JobResult | None:
        """None for a job that is unknown or past its retention."""
        content = self._store.get(_SPACE + job_id.encode())
        return None if content is None else JobResult.decode(content)

    def has(self, job_id: str) -> bool:
        """Whether the job has ended; nothing is decoded."""
        return self._store.get(_SPACE + job_id.encode()) is not None

    def row(self, job_id: bytes, content: bytes | None) -> Row:
        """The row of one record; None for a tombstone."""
        return Row(_SPACE + job_id, content)

    def of_document(
        self, document_id: str, after: bytes, count_max: int
    ) -> tuple[list[bytes], bytes | None]:
        """The ids of a document's jobs among the next `count_max`, and where to go on, or None.

        Begin after b"".
        """
        sign = encode({"document_id": document_id})[1:-1]
        found: list[bytes] = []
        rows = self._store.scan(_SPACE + after + b"\0", _SPACE_END)
        last: bytes | None = None
        for count, (key, content) in enumerate(rows, 1):
            job_id = key[len(_SPACE) :]
            # A sentence of an error may hold the same.
            if sign in content and JobResult.decode(content).document_id == document_id:
                found.append(job_id)
            if count == count_max:
                last = job_id
                break
        return found, last

    def expired_rows(self, now_ms: int, retention_ms: int, count_max: int) -> list[Row]:
        """What removes the oldest jobs that are past their retention.

        A job id begins with a UUIDv7, and so with its time.
        """
        oldest = f"{max(0, now_ms - retention_ms):012x}"
        end = _SPACE + f"{oldest[:8]}-{oldest[8:]}".encode()
        return [Row(key, None) for key in islice(self._store.keys(_SPACE, end), count_max)]
