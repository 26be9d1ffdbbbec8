"""A store in a directory, kept by RocksDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    BottommostLevelCompaction,
    Cache,
    CompactOptions,
    DbClosedError,
    DBCompressionType,
    Env,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

from docreactor.pipeline.errors import StoreClosedError, StoreFailedError, StoreLockedError
from docreactor.pipeline.position import Offset
from docreactor.tables.label import read_label, write_label
from docreactor.tables.rocks_cursor import RocksCursor, RocksReader
from docreactor.tables.store import AnyRow, Reader, StoreIdentity

_MIB = 1024 * 1024
_LABEL = b""
"""The key of the row that holds identity, positions and time; no caller's key is empty."""
_FIRST = b"\0"
"""The least key that a caller can have."""

_LOCKED = ("While lock file", "lock hold by current process")
"""What RocksDB says when the directory is taken."""

_OPEN_FILES = 40
_BACKGROUND_THREADS = 2

# One budget for every store of the process, however many partitions it owns.
_BLOCKS = Cache(96 * _MIB)
_MEMTABLES = WriteBufferManager(96 * _MIB, allow_stall=False)


def _options() -> Options:
    table = BlockBasedOptions()
    table.set_bloom_filter(10, False)
    table.set_block_cache(_BLOCKS)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    # The index and the filter of a whole file are megabytes, which a shard of the cache cannot
    # keep: each read would read them again. In parts, it reads and keeps those that it needs.
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_pin_top_level_index_and_filter(True)
    env = Env()
    env.set_background_threads(_BACKGROUND_THREADS)
    env.set_high_priority_background_threads(1)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_env(env)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_manager(_MEMTABLES)
    options.set_write_buffer_size(16 * _MIB)
    options.set_max_write_buffer_number(3)
    options.set_max_background_jobs(_BACKGROUND_THREADS)
    options.set_max_open_files(_OPEN_FILES)
    # Split into its usual 64, so few are one each: two files that meet there close each other.
    options.set_table_cache_num_shard_bits(0)
    options.set_max_file_opening_threads(1)
    options.set_max_total_wal_size(64 * _MIB)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(_MIB)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    return options


# An attribute, whatever its stubs say.
_UNLOGGED: Any = WriteOptions()
_UNLOGGED.disable_wal = True
# Without force it leaves alone what lies at the bottom: keys that were removed, for one.
_THOROUGH = CompactOptions()
_THOROUGH.set_bottommost_level_compaction(BottommostLevelCompaction.force())


class _Told:
    """Tells RocksDB's refusals, all of them bare exceptions, by our names."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        cause: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is DbClosedError:
            raise StoreClosedError(f"{self._path} is closed") from cause
        if kind is Exception:
            if any(sign in str(cause) for sign in _LOCKED):
                raise StoreLockedError(
                    f"{self._path} is open elsewhere: give each worker its own data directory"
                ) from cause
            raise StoreFailedError(f"{self._path}: {cause}") from cause


class RocksStore:
    """A `Store` on disk.

    What was written survives the process, and all but the newest writes survive the machine.
    """

    def __init__(self, rows: Rdict, told: _Told) -> None:
        self._rows = rows
        self._told = told
        self._cursors: WeakSet[RocksCursor | RocksReader] = WeakSet()
        self._closed = False
        self._is_unlogged = False
        self._identity: StoreIdentity | None = None
        self._positions: dict[str, Offset] = {}
        self._written_ms: int | None = None
        if (label := rows.get(_LABEL)) is not None:
            self._identity, self._positions, self._written_ms = read_label(label)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create. StoreLocked while the directory is open elsewhere."""
        path.mkdir(parents=True, exist_ok=True)
        with (told := _Told(path)):
            # What is there and not named opens with a small cache of its own and without filters.
            return cls(Rdict(str(path), options := _options(), {"default": options}), told)

    @property
    def identity(self) -> StoreIdentity | None:
        self._check_open()
        return self._identity

    @property
    def written_ms(self) -> int | None:
        self._check_open()
        return self._written_ms

    def begin(self, identity: StoreIdentity) -> None:
        batch = WriteBatch(raw_mode=True)
        newest = self._newest_key()
        if newest:
            batch.delete_range(_FIRST, newest)
            batch.delete(newest)
        batch.put(_LABEL, write_label(identity, {}, None))
        self._apply(batch)
        self._identity, self._positions, self._written_ms = identity, {}, None

    def positions(self) -> Mapping[str, Offset]:
        self._check_open()
        return dict(self._positions)

    def get(self, key: bytes) -> bytes | None:
        with self._told:
            value: bytes | None = self._rows.get(key)
        return value

    def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        with self._told:
            values: Any = self._rows.get(list(keys))
        found: list[bytes | None] = values
        return found

    def scan(
        self, start: bytes, end: bytes, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        start = start or _FIRST
        options = _bounded(end)
        with self._told:
            pairs = self._rows.items(reverse, end if reverse else start, options)
        return self._pairs(self._track(pairs, options), start)

    def keys(self, start: bytes, end: bytes, *, reverse: bool = False) -> Iterator[bytes]:
        start = start or _FIRST
        options = _bounded(end)
        with self._told:
            keys = self._rows.keys(reverse, end if reverse else start, options)
        return self._keys(self._track(keys, options), start)

    def reader(self) -> Reader:
        with self._told:
            reader = RocksReader(self._rows.iter(), self._told)
        self._cursors.add(reader)
        return reader

    def write(
        self,
        rows: Sequence[AnyRow],
        positions: Mapping[str, Offset],
        *,
        now_ms: int,
        is_logged: bool = True,
    ) -> None:
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in rows:
            if value is None:
                delete(key)
            else:
                put(key, value)
        moved = {**self._positions, **positions}
        put(_LABEL, write_label(self._identity, moved, now_ms))
        if is_logged:
            self._apply(batch)
        else:
            self._is_unlogged = True
            with self._told:
                self._rows.write(batch, _UNLOGGED)
        self._positions, self._written_ms = moved, now_ms

    def flush(self) -> None:
        self._check_open()
        if self._is_unlogged:
            with self._told:
                self._rows.flush(True)
            self._is_unlogged = False

    def compact(self, start: bytes, end: bytes) -> None:
        with self._told:
            self._rows.flush(True)
            self._rows.compact_range(start, end, _THOROUGH)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        # RocksDB keeps its lock for as long as one iterator lives.
        for cursor in list(self._cursors):
            cursor.end()
        self._rows.close()

    def _apply(self, batch: WriteBatch) -> None:
        # What is logged must not outlive what it was built on.
        self.flush()
        with self._told:
            self._rows.write(batch)

    def _check_open(self) -> None:
        with self._told:
            if self._closed:
                raise DbClosedError

    def _newest_key(self) -> bytes:
        with self._told:
            cursor = self._rows.iter()
            cursor.seek_to_last()
            newest: bytes = cursor.key() if cursor.valid() else _LABEL
        return newest

    def _track(self, items: Iterator[Any], options: ReadOptions) -> RocksCursor:
        cursor = RocksCursor(items, options)
        self._cursors.add(cursor)
        return cursor

    # Both directions end at the options' upper bound; only in reverse can a key be under `least`.

    def _pairs(self, cursor: RocksCursor, least: bytes) -> Iterator[tuple[bytes, bytes]]:
        with self._told:
            while (pair := next(cursor.rows, None)) is not None:
                if pair[0] < least:
                    return
                yield pair

    def _keys(self, cursor: RocksCursor, least: bytes) -> Iterator[bytes]:
        with self._told:
            while (key := next(cursor.rows, None)) is not None:
                if key < least:
                    return
                yield key


def _bounded(end: bytes) -> ReadOptions:
    options = ReadOptions()
    options.set_iterate_upper_bound(end)
    return options
