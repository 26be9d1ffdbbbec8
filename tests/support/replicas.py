"""Replicas of one document without a log: a reducer, its tables and a view, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from docreactor.agents.deferral import Deferral
from docreactor.agents.dependencies import Dependencies
from docreactor.agents.inbox import Room
from docreactor.agents.log import TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.agents.metrics import Metrics
from docreactor.agents.placement import MOVED
from docreactor.agents.reducer import ReducerAgent
from docreactor.agents.staging import Staging
from docreactor.agents.view import ViewAgent
from docreactor.agents.working import Working
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.action import Action
from docreactor.pipeline.bound import UNBOUNDED
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.job import Incoming, Job, Load, Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.position import Offset
from docreactor.pipeline.record import HEADERS, Headers
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds
from docreactor.tables.cache import WriteCache
from docreactor.tables.deferred import DeferredTable
from docreactor.tables.documents import DocumentsTable
from docreactor.tables.jobs import JobsTable
from docreactor.tables.keyframes import Keyframes, StoreKeyValueStore, keyframe_rows
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import OperationsTable
from tests.support.words import words

SOURCE = TopicPartition("test.actions", 0)
DOCUMENT = "d1"
HOME = Stream(DOCUMENT, "document", "main")
MAIN = Stream(DOCUMENT, "global", "main")


class Record(NamedTuple):
    """A record of a log in memory."""

    offset: int
    key: bytes
    value: bytes | None
    headers: Headers = HEADERS


@dataclass
class Replica:
    """`clock` is its wall clock in microseconds. `sent` is its log: every operation it stored."""

    name: str
    settings: Settings = field(default_factory=lambda: Settings(app="test"))
    clock: int = 1_700_000_000_000_000
    sent: list[Record] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    jobs: int = 0
    consumed: int = 0
    models: Sequence[DocumentModel] = (words,)

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        registry = Registry(list(self.models))
        self.replay = Replay(registry)
        operations = OperationsTable(self.store)
        self.values = StoreKeyValueStore(self.store)
        self.keyframes = Keyframes(self.values, self.settings)
        cache = WriteCache(
            self.replay,
            operations,
            self.keyframes,
            streams_max=self.settings.cache_documents_max,
            ring_states=self.settings.cache_ring_states,
            bytes_max=self.settings.cache_bytes_max,
        )
        self.tables = WriteTables(operations, self.keyframes, cache)
        self.deferral = self._deferral()
        self.reducer = ReducerAgent(
            SOURCE,
            self.tables,
            self.deferral,
            registry,
            self.settings,
            bound=UNBOUNDED,
            now_us=lambda: Microseconds(self.clock),
            working=Working(),
        )
        self.documents = DocumentsTable(MemoryStore(), self.replay)
        self.view = self.showing(operations)

    def showing(self, operations: OperationsTable) -> ViewAgent:
        """A view that reads the stored operations there."""
        return ViewAgent(
            self.documents,
            self.replay,
            self.settings,
            WriteTables(operations, self.keyframes, self.tables.cache),
            topic="test.operations",
            metrics=Metrics(),
            now_ms=lambda: self.clock // 1000,
        )

    def _deferral(self) -> Deferral:
        """Which of its jobs wait; they depend on no other replica's."""
        dependencies = Dependencies(
            MemoryLog(MemoryCluster(), self.settings),
            SOURCE,
            JobsTable(self.store),
            partition_count=1,
            skew_ms=0,
            ended=lambda _: None,
        )
        return Deferral(
            DeferredTable(self.store),
            dependencies,
            timeout_us=self.settings.dependency_timeout_ms * 1_000,
            now_us=lambda: Microseconds(self.clock),
        )

    async def submit(self, *jobs: Job) -> list[str | None]:
        """Decide jobs as one batch and show them, then what they let go on; each job's error."""
        records: list[Any] = [
            Record(self.consumed + at, job.document_id.encode(), encode(job.json))
            for at, job in enumerate(jobs)
        ]
        self.consumed += len(jobs)
        staging = await self.reducer.reduce(records)
        names = await self.take(staging)
        while self.deferral.is_ready():
            resumed = self.deferral.take(Room(len(jobs) + self.consumed, 1 << 30))
            names += await self.take(await self.reducer.reduce(resumed, is_resumed=True))
        return names

    async def take(self, staging: Staging) -> list[str | None]:
        """Write what was staged, as a commit does."""
        rows = staging.rows
        for stage in staging.streams.values():
            if stage.is_moved and stage.state is not None:
                rows.append(self.tables.operations.head_row(stage.stream, stage.head))
                self.tables.cache.put(stage.stream, stage.state, stage.head)
        rows += keyframe_rows(staging.keyframes.rows)
        rows += self.deferral.table.rows(
            [
                (key, None if deferred is None else encode(deferred.json))
                for key, deferred in staging.deferred.items()
            ]
        )
        self.store.write(rows, {}, now_ms=1)
        self.deferral.committed(staging)
        shown: list[Any] = []
        for entry in staging.operations:
            record = Record(len(self.sent), entry.key or b"", entry.value, entry.headers)
            self.sent.append(record)
            shown.append(record)
        await self.view.apply(shown, Offset(len(self.sent)))
        ended = sorted(staging.ended, key=lambda one: one.offset)
        return [None if one.error is None else one.error.name() for one in ended]

    def mutation(self, stream: Stream, actions: Sequence[Action], **fields: Any) -> Mutation:
        """A job with an id of its own."""
        self.jobs += 1
        return Mutation(
            id=f"j{self.jobs}-0",
            document_id=stream.document_id,
            branch=stream.branch,
            scope=stream.scope,
            actions=tuple(actions),
            **fields,
        )

    def load(self, stream: Stream, operations: Sequence[Operation], source: str = "") -> Load:
        """The job that brings these operations."""
        self.jobs += 1
        return Load(
            id=f"l{self.jobs}-0",
            document_id=stream.document_id,
            branch=stream.branch,
            scope=stream.scope,
            operations=tuple(
                Incoming(one.action, one.index, one.hash, one.previous, one.version)
                for one in operations
            ),
            source=source or None,
        )

    async def create(self) -> None:
        """Creation and first upgrade, the same actions on every replica."""
        given: dict[str, Any] = {"model": "test/words", "document_id": DOCUMENT}
        versions = {"from_version": 0, "to_version": 1}
        actions = [
            Action("c1", "CREATE_DOCUMENT", "document", input=given),
            Action("c2", "UPGRADE_DOCUMENT", "document", input=given | versions),
        ]
        assert await self.submit(self.mutation(HOME, actions)) == [None]

    def stored(self, stream: Stream) -> list[Operation]:
        """Every operation of a stream, by index."""
        page = self.tables.operations.page(stream, 0, 100_000)
        return [Operation.decode(content) for _, content in page]

    def first_seen(self, start: int = 0) -> Iterator[tuple[Stream, Operation]]:
        """What it forwards of its log from an offset on: each action where it first appeared."""
        for record in self.sent[start:]:
            if MOVED[-1] not in record.headers:
                document_id, scope, branch, _ = record.key.decode().split("/")
                operation = Operation.decode(record.value or b"")
                yield Stream(document_id, scope, branch), operation
