"""One partition's reducer with its tables, and no log: what is decided is written at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from docreactor.agents.deferral import Deferral
from docreactor.agents.dependencies import Dependencies
from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.agents.reducer import ReducerAgent
from docreactor.agents.staging import Staging
from docreactor.agents.working import Working
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.action import (
    CREATE_DOCUMENT,
    DOCUMENT_SCOPE,
    UPGRADE_DOCUMENT,
    Action,
)
from docreactor.pipeline.bound import UNBOUNDED
from docreactor.pipeline.canonical import JSON, encode
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.job import Job, Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.position import Offset
from docreactor.pipeline.record import HEADERS, Headers
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds
from docreactor.pipeline.topics import Topics
from docreactor.tables.cache import WriteCache
from docreactor.tables.deferred import DeferredTable
from docreactor.tables.jobs import JobsTable
from docreactor.tables.keyframes import (
    Keyframes,
    KeyValueStore,
    StoreKeyValueStore,
    keyframe_rows,
)
from docreactor.tables.operations import OperationsTable
from docreactor.tables.store import Store

_BEGIN_US = 1_700_000_000_000_000
_STEP_US = 1_000
_SCOPE = "global"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A record of `actions` that no log ever held."""

    offset: int
    value: bytes
    key: bytes | None = None
    headers: Headers = HEADERS
    timestamp: int = 0


class WriteSide:
    """Tests and measurements of the write cache stand on it: no Kafka, a clock of its own.

    Its jobs wait for nothing: whatever depends on another is left out.
    Without `values` keyframes are rows of `store`, written with the operations, as a deployment
    has them; with `values` they are put there.
    """

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        store: Store,
        values: KeyValueStore | None = None,
    ) -> None:
        self.registry = registry
        self.store = store
        self.operations = OperationsTable(store)
        self.keyframes = Keyframes(values or StoreKeyValueStore(store), settings)
        self.cache = WriteCache(
            Replay(registry),
            self.operations,
            self.keyframes,
            streams_max=settings.cache_documents_max,
            ring_states=settings.cache_ring_states,
            bytes_max=settings.cache_bytes_max,
        )
        self._topics = Topics(settings.app)
        self._keeps_rows = values is None
        self._reducer = self._open_reducer(settings)
        self._moments = count(_BEGIN_US, _STEP_US)
        self._numbers = count(1)
        self._offsets = count()

    async def create(
        self, document_type: str, document_id: str, *, branch: str = DEFAULT_BRANCH
    ) -> None:
        """A new document of the model's newest version. Raises what refuses it."""
        version = self.registry.model(document_type).version
        created: dict[str, JSON] = {
            "branch": branch,
            "document_id": document_id,
            "model": document_type,
        }
        upgraded: dict[str, JSON] = {
            "document_id": document_id,
            "from_version": 0,
            "model": document_type,
            "to_version": version,
        }
        asked = [(CREATE_DOCUMENT, created), (UPGRADE_DOCUMENT, upgraded)]
        await self.submit(document_id, asked, scope=DOCUMENT_SCOPE, branch=branch)

    async def submit(
        self,
        document_id: str,
        actions: Iterable[tuple[str, JSON]],
        *,
        scope: str = _SCOPE,
        branch: str = DEFAULT_BRANCH,
    ) -> Stream:
        """One job of actions, each a type and an input; returns their stream.

        Raises what refuses the job; what a reducer raises is in its operation, as always.
        """
        stream = Stream(document_id, scope, branch)
        await self.run([self.job(stream, actions)])
        return stream

    def job(self, stream: Stream, actions: Iterable[tuple[str, JSON]]) -> Mutation:
        """A job of actions, each a type and an input, with ids of their own."""
        asked = tuple(
            Action(f"action-{next(self._numbers):06}", action_type, stream.scope, input=input)
            for action_type, input in actions
        )
        job_id = f"job-{next(self._numbers):06}-0"
        return Mutation(job_id, stream.document_id, stream.branch, stream.scope, asked)

    async def run(self, jobs: Sequence[Job]) -> None:
        """Decide jobs as one batch and write what they store. Raises what refuses the first."""
        staging = await self.reduce(jobs)
        self.write(staging)
        for ended in staging.ended:
            if ended.error is not None:
                raise ended.error

    async def reduce(self, jobs: Sequence[Job]) -> Staging:
        """Decide jobs as one batch: what it would write."""
        return await self.decide(self.records(jobs))

    def records(self, jobs: Sequence[Job]) -> list[LogRecord]:
        """The form that jobs have on the log."""
        return [_Asked(next(self._offsets), encode(job.json)) for job in jobs]

    async def decide(self, records: Sequence[LogRecord]) -> Staging:
        """As `reduce`, for jobs that were on a log."""
        return await self._reducer.reduce(records)

    def write(self, staging: Staging) -> None:
        """Write what a batch staged, as a committer does when Kafka has taken it."""
        rows = staging.rows
        for stage in staging.streams.values():
            if stage.is_moved and stage.state is not None:
                rows.append(self.operations.head_row(stage.stream, stage.head))
                self.cache.put(stage.stream, stage.state, stage.head)
        if self._keeps_rows:
            rows += keyframe_rows(staging.keyframes.rows)
        else:
            staging.keyframes.publish()
        reached = self.store.positions().get(self._topics.operations, 0)
        position = {self._topics.operations: Offset(reached + len(staging.operations))}
        self.store.write(rows, position, now_ms=_BEGIN_US // 1_000)

    def _open_reducer(self, settings: Settings) -> ReducerAgent:
        source = TopicPartition(self._topics.actions, 0)
        dependencies = Dependencies(
            MemoryLog(MemoryCluster(), settings),
            source,
            JobsTable(self.store),
            partition_count=1,
            skew_ms=0,
            ended=lambda _: None,
        )
        deferral = Deferral(
            DeferredTable(self.store),
            dependencies,
            timeout_us=settings.dependency_timeout_ms * 1_000,
            now_us=self._now_us,
        )
        return ReducerAgent(
            source,
            WriteTables(self.operations, self.keyframes, self.cache),
            deferral,
            self.registry,
            settings,
            bound=UNBOUNDED,
            now_us=self._now_us,
            working=Working(),
        )

    def _now_us(self) -> Microseconds:
        return Microseconds(next(self._moments))
