"""How far a log has been read; its wire form is the consistency token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType, Self

from docreactor.pipeline.errors import InvalidTokenError, TokenOfAnotherLogError

Partition = NewType("Partition", int)
Offset = NewType("Offset", int)
"""Always a *next* offset: the first one not yet read."""

_TOKEN = re.compile(r"([0-9a-f]{32})\.(\d{1,10}-\d{1,19}(?:_\d{1,10}-\d{1,19})*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """The next offset of each partition of `operations`, on one log.

    A partition that is not named has no demand: 0.
    """

    log_id: str
    next_offsets: Mapping[Partition, Offset]

    @property
    def token(self) -> str:
        """The opaque, URL-safe wire form."""
        parts = "_".join(f"{part}-{offset}" for part, offset in sorted(self.next_offsets.items()))
        return f"{self.log_id}.{parts}"

    @classmethod
    def parse(cls, token: str, *, log_id: str) -> Self:
        """Read a token of this log. InvalidToken or TokenOfAnotherLog otherwise."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise InvalidTokenError(token)
        if match[1] != log_id:
            raise TokenOfAnotherLogError(expected=log_id, actual=match[1])
        pairs = (part.split("-") for part in (match[2] or "").split("_") if part)
        return cls(log_id, {Partition(int(part)): Offset(int(offset)) for part, offset in pairs})

    def merge(self, other: Position) -> Position:
        """The least position that satisfies both: the maximum of each partition."""
        if other.log_id != self.log_id:
            raise TokenOfAnotherLogError(expected=self.log_id, actual=other.log_id)
        merged = dict(self.next_offsets)
        for part, offset in other.next_offsets.items():
            merged[part] = max(offset, merged.get(part, Offset(0)))
        return Position(self.log_id, merged)

    def reached(self, wanted: Position) -> bool:
        """Whether everything below `wanted` lies below this position (>=, never equality)."""
        return all(
            self.next_offsets.get(part, Offset(0)) >= offset
            for part, offset in wanted.next_offsets.items()
        )


def partition_token(log_id: str, partition: int, next_offset: int) -> str:
    """The token of a write to one partition: `Position.token` without building one."""
    return f"{log_id}.{partition}-{next_offset}"
