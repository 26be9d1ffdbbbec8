"""Where a record lives: stream and record keys, and the partition of a document."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from docreactor.pipeline.action import DOCUMENT_SCOPE

_MASK = 0xFFFFFFFF
_UUID_CHARACTERS = 36
_TIME_ORDERED = 7
_TIME_SHIFT = 80
INDEX_DIGITS = 10
"""How many digits of an index end the key of an operation or a keyframe."""


class Stream(NamedTuple):
    """One ordered history: a scope of one branch of one document."""

    document_id: str
    scope: str
    branch: str

    @property
    def prefix(self) -> str:
        """What the keys of this stream's records begin with; no other stream's do."""
        return f"{self.document_id}/{self.scope}/{self.branch}/"

    @property
    def home(self) -> Stream:
        """The stream that says what the document is."""
        return Stream(self.document_id, DOCUMENT_SCOPE, self.branch)


def record_key(stream: Stream, index: int) -> bytes:
    """Key of an operation or keyframe; byte order is index order within a stream."""
    return b"%b%010d" % (stream.prefix.encode(), index)


def stream_prefix(key: bytes) -> bytes:
    """The prefix of the stream that a record's key belongs to."""
    return key[:-INDEX_DIGITS]


def parse_record_key(key: bytes) -> tuple[Stream, int]:
    """The inverse of `record_key`. Raises ValueError for anything else."""
    document_id, scope, branch, index = key.decode().split("/")
    return Stream(document_id, scope, branch), int(index)


def job_partition(job_id: str) -> int:
    """The partition that a job id ends in. Raises ValueError when it names none."""
    return int(job_id.rpartition("-")[2])


def job_minted_ms(job_id: str) -> int | None:
    """When the UUIDv7 that a job id begins with was minted; None when it begins with none."""
    try:
        value = UUID(job_id[:_UUID_CHARACTERS])
    except ValueError:
        return None
    return value.int >> _TIME_SHIFT if value.version == _TIME_ORDERED else None


@lru_cache(maxsize=65_536)
def partition_for(document_id: str, partition_count: int) -> int:
    """(murmur2(id) & 0x7fffffff) mod N, as Kafka's own default partitioner computes it."""
    return (_murmur2(document_id.encode()) & 0x7FFFFFFF) % partition_count


def _murmur2(data: bytes) -> int:
    multiplier, length = 0x5BD1E995, len(data)
    value = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * multiplier & _MASK
        word = (word ^ word >> 24) * multiplier & _MASK
        value = (value * multiplier & _MASK) ^ word
    if whole < length:
        value ^= int.from_bytes(data[whole:], "little")
        value = value * multiplier & _MASK
    value = (value ^ value >> 13) * multiplier & _MASK
    return value ^ value >> 15
