"""The tables of the partitions that this process has open, in use or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from docreactor.agents.compaction import compact_all
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.tables.cache import WriteCache
from docreactor.tables.cache_figures import CacheFigures
from docreactor.tables.deferred import DeferredTable
from docreactor.tables.jobs import JobsTable
from docreactor.tables.keyframes import Keyframes, StoreKeyValueStore
from docreactor.tables.operations import OperationsTable
from docreactor.tables.store import Store

OpenStore = Callable[[str], Store]
"""Opens the store of this name: `<partition>/write`, `<partition>/<read model>`, `graph`."""

WRITE_SCHEMA = 2
DOCUMENTS_SCHEMA = 3
RELATIONSHIPS_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class PartitionTables:
    """What one partition keeps on this process: the reducer's store, and those of read models."""

    write_store: Store
    write: WriteTables
    jobs: JobsTable
    deferred: DeferredTable
    stores: dict[str, Store]

    def close(self) -> None:
        """Let go of every store. Idempotent."""
        self.write.cache.shutdown()
        self.write_store.close()
        for store in self.stores.values():
            store.close()


class Shelf:
    """Tables by partition. What a revocation leaves here comes back with only its tail to read."""

    def __init__(self, open_store: OpenStore, replay: Replay, settings: Settings) -> None:
        self._open_store = open_store
        self._replay = replay
        self._settings = settings
        self._tables: dict[int, PartitionTables] = {}

    def take(self, partition: int) -> PartitionTables:
        """The partition's tables, opened if they are not. StoreLocked when another has them."""
        tables = self._tables.get(partition)
        if tables is None:
            tables = self._tables[partition] = self._open(partition)
        return tables

    def store(self, partition: int, name: str) -> Store:
        """A read model's store in this partition, opened if it is not."""
        stores = self.take(partition).stores
        if name not in stores:
            stores[name] = self._open_store(f"{partition}/{name}")
        return stores[name]

    async def discard(self, partition: int, name: str) -> None:
        """Leave nothing of a read model's store, in its files neither, and close it."""
        store = self.store(partition, name)
        if store.identity is not None:
            store.begin(store.identity)
            # Who asks later for an erasure finds no store here any more.
            await compact_all(store)
        self.take(partition).stores.pop(name).close()

    def keep(self, partitions: frozenset[int]) -> None:
        """Close the tables of every other partition."""
        for partition in [one for one in self._tables if one not in partitions]:
            self._tables.pop(partition).close()

    def figures(self) -> dict[int, CacheFigures]:
        """What the write cache of each open partition has done and holds."""
        return {number: tables.write.cache.figures() for number, tables in self._tables.items()}

    def close(self) -> None:
        """Close everything."""
        self.keep(frozenset())

    def _open(self, partition: int) -> PartitionTables:
        settings = self._settings
        write_store = self._open_store(f"{partition}/write")
        operations = OperationsTable(write_store)
        keyframes = Keyframes(StoreKeyValueStore(write_store), settings)
        cache = WriteCache(
            self._replay,
            operations,
            keyframes,
            streams_max=settings.cache_documents_max,
            ring_states=settings.cache_ring_states,
            bytes_max=settings.cache_bytes_max,
        )
        cache.startup()
        return PartitionTables(
            write_store,
            WriteTables(operations, keyframes, cache),
            JobsTable(write_store),
            DeferredTable(write_store),
            {},
        )
