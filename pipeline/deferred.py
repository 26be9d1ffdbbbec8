"""What travels on `deferred`: a job that waits, and for what."""

from __future__ import annotations

from docreactor.pipeline.job import Load, Mutation
from docreactor.pipeline.keys import Stream, parse_record_key
from docreactor.pipeline.wire import Wire


class Deferred(Wire, frozen=True, gc=False, omit_defaults=True):
    """A job as it was consumed, kept until it is run or ends without.

    `offset` is its own on `actions`. It waits for the jobs `waits_for`, for its document where
    `needs_document` says so, and always for the jobs of its stream that were deferred before it.
    """

    job: Mutation | Load
    offset: int
    deferred_at: str
    waits_for: tuple[str, ...] = ()
    needs_document: bool = False

    @property
    def stream(self) -> Stream:
        """The stream that it is deferred in."""
        job = self.job
        return Stream(job.document_id, job.scope, job.branch)

    @property
    def key(self) -> bytes:
        """The key of its record."""
        return deferred_key(self.stream, self.offset)


def deferred_key(stream: Stream, offset: int) -> bytes:
    """Key of a deferred job; byte order is the order of offsets within a stream."""
    return b"%b%020d" % (stream.prefix.encode(), offset)


def parse_deferred_key(key: bytes) -> tuple[Stream, int]:
    """The inverse of `deferred_key`. Raises ValueError for anything else."""
    return parse_record_key(key)
