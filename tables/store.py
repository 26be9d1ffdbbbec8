"""Where one partition of one table keeps its rows, with the position that produced them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from docreactor.pipeline.position import Offset


class Row(NamedTuple):
    """A row to be written. A `value` of None removes the key."""

    key: bytes
    value: bytes | None


AnyRow = tuple[bytes, bytes | None]
"""A Row, or the pair of its key and its value: by the thousand, pairs cost a quarter."""


@dataclass(frozen=True, slots=True)
class StoreIdentity:
    """What a store belongs to; a store of another identity is not this one's rows."""

    log_id: str
    schema_version: int


class Reader(Protocol):
    """Reads one range of keys after the other, faster than its store does where they are many.

    It may show what is written after it was made, or not.
    """

    def keys(self, start: bytes, end: bytes) -> Iterator[bytes]:
        """As `Store.keys`. Several ranges may be read at a time."""
        ...


class Store(Protocol):
    """Ordered rows by key. Keys are any bytes but the empty ones."""

    @property
    def identity(self) -> StoreIdentity | None:
        """None until the first `begin`."""
        ...

    @property
    def written_ms(self) -> int | None:
        """Wall clock of the newest write, milliseconds; None for an empty store."""
        ...

    def begin(self, identity: StoreIdentity) -> None:
        """Remove every row and position and take this identity, in one write."""
        ...

    def positions(self) -> Mapping[str, Offset]:
        """The next offset per topic that this store follows."""
        ...

    def get(self, key: bytes) -> bytes | None: ...

    def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]: ...

    def scan(
        self, start: bytes, end: bytes, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Rows with start <= key < end in key order; close the iterator or run it out."""
        ...

    def keys(self, start: bytes, end: bytes, *, reverse: bool = False) -> Iterator[bytes]:
        """The keys alone, as `scan` orders them: no value is copied."""
        ...

    def reader(self) -> Reader:
        """What reads many ranges; holding it long keeps what is removed meanwhile on disk."""
        ...

    def write(
        self,
        rows: Sequence[AnyRow],
        positions: Mapping[str, Offset],
        *,
        now_ms: int,
        is_logged: bool = True,
    ) -> None:
        """Write the rows and the positions that produced them, or neither; later rows win.

        What is not logged may be lost with the process until `flush`: whole writes, the newest
        first. It costs less where the rows can be had again.
        """
        ...

    def flush(self) -> None:
        """Make safe what was written without being logged."""
        ...

    def compact(self, start: bytes, end: bytes) -> None:
        """Leave nothing of what was removed with start <= key < end where the rows are kept."""
        ...

    def close(self) -> None:
        """Idempotent. Nothing of the store may be used afterwards."""
        ...
