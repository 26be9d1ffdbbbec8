"""Nodes over a log in memory, in this process: restarts keep the log and the tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from docreactor.agents.clock import Clock, SystemClock
from docreactor.agents.live import LivePartition
from docreactor.agents.log import Entry, Isolation, Log, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.agents.log.memory_transactor import Hook
from docreactor.agents.metrics import Metrics
from docreactor.agents.node import Node, Place, open_node
from docreactor.agents.relationships import RelationshipAgent
from docreactor.agents.shelf import OpenStore
from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import JobNotReadyError
from docreactor.pipeline.job import Job, JobResult, Mutation
from docreactor.pipeline.keys import Stream, partition_for
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.position import Offset
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.spec import Model
from docreactor.pipeline.topics import Topics, declarations
from docreactor.tables.memory import MemoryStore
from tests.support.ledger import ledger

LOG_ID = "0123456789abcdef0123456789abcdef"


class KeptStore(MemoryStore):
    """A store in memory that a restart finds as it was left, as a directory would be."""

    def close(self) -> None:
        """Stay: the next process opens it again."""


@dataclass(slots=True)
class Site:
    """A cluster and the tables of one place, over which nodes come and go."""

    settings: Settings
    models: Sequence[Model] = (ledger,)
    cluster: MemoryCluster = field(default_factory=lambda: MemoryCluster(clock_ms=_now_ms))
    stores: dict[str, KeptStore] = field(default_factory=dict)
    jobs: int = 0
    nodes: int = 0

    def __post_init__(self) -> None:
        for declared in declarations(self.settings):
            self.cluster.create(declared)

    @property
    def topics(self) -> Topics:
        return Topics(self.settings.app)

    def open_store(self, name: str) -> KeptStore:
        return self.stores.setdefault(name, KeptStore())

    def disk(self, name: str) -> OpenStore:
        """Stores of another place."""
        return lambda store: self.open_store(f"{name}/{store}")

    def log(self, hook: Hook | None = None) -> MemoryLog:
        if hook is None:
            return MemoryLog(self.cluster, self.settings)
        return MemoryLog(self.cluster, self.settings, hook)

    @asynccontextmanager
    async def node(
        self,
        hook: Hook | None = None,
        *,
        url: str = "http://here",
        open_store: OpenStore | None = None,
        clock: Clock | None = None,
        log: Log | None = None,
        ready: bool = True,
        registry: Registry | None = None,
        is_gateway_only: bool = False,
    ) -> AsyncIterator[Node]:
        """A process of its own, until the block ends; from the moment when it serves, or at once.

        Nodes at one time take stores of their own.
        """
        self.nodes += 1
        place = Place(
            open_store or self.open_store,
            url,
            Metrics(),
            clock or SystemClock(),
            f"node-{self.nodes}",
        )
        registry = registry or Registry(list(self.models))
        log = log or self.log(hook)
        try:
            async with open_node(
                log,
                registry,
                self.settings,
                log_id=LOG_ID,
                place=place,
                is_gateway_only=is_gateway_only,
            ) as node:
                if ready:
                    await until_ready(node)
                yield node
        finally:
            await log.close()

    def job(self, document_id: str, actions: Sequence[tuple[str, Any]], **fields: Any) -> Mutation:
        """A job with ids of its own; `id` and `timestamp` of an action may be given in `fields`."""
        self.jobs += 1
        scope = fields.pop("scope", "global")
        ids = fields.pop("ids", None) or [f"a{self.jobs}-{at}" for at in range(len(actions))]
        stamps = fields.pop("stamps", None) or [None] * len(actions)
        made = tuple(
            Action(id=action_id, type=kind, scope=scope, input=given, timestamp=stamp)
            for action_id, (kind, given), stamp in zip(ids, actions, stamps, strict=True)
        )
        return Mutation(
            id=f"j{self.jobs}-0",
            document_id=document_id,
            branch=fields.pop("branch", "main"),
            scope=scope,
            actions=made,
            **fields,
        )

    def creation(self, document_id: str, **given: Any) -> Mutation:
        """The job that creates a ledger."""
        created = {"model": "test/ledger", "document_id": document_id} | given
        upgraded: dict[str, Any] = {"model": created["model"], "document_id": document_id}
        upgraded |= {"from_version": 0, "to_version": 1}
        actions: list[tuple[str, Any]] = [
            ("CREATE_DOCUMENT", created),
            ("UPGRADE_DOCUMENT", upgraded),
        ]
        branch = given.get("branch", "main")
        return self.job(document_id, actions, scope="document", branch=branch)

    async def append(self, key: bytes, value: bytes, **entry: Any) -> None:
        """Put a record on partition 0 of actions, whatever it is."""
        await self.write(self.topics.actions, Entry(key, value, **entry))

    async def write(self, topic: str, *entries: Entry) -> None:
        """Put records on partition 0 of a topic, as any other producer could."""
        writer = await self.log().writer()
        await writer.append(TopicPartition(topic, 0), entries)

    async def enqueue(self, *jobs: Job) -> None:
        """Put jobs on their partitions of actions, as another node's gateway would."""
        writer = await self.log().writer()
        for job in jobs:
            number = partition_for(job.document_id, self.settings.partitions)
            entry = Entry(job.document_id.encode(), encode(job.json))
            await writer.append(TopicPartition(self.topics.actions, number), [entry])

    def source(self, topic: str, partition: int = 0) -> TopicPartition:
        return TopicPartition(topic, partition)

    def limit(self, topic: str, bytes_max: int) -> None:
        """Let the cluster refuse larger records on a topic."""
        declared = self.cluster.topics[topic]
        config = {**declared.config, "max.message.bytes": str(bytes_max)}
        self.cluster.topics[topic] = replace(declared, config=config)

    def committed(self, partition: int = 0) -> int | None:
        """The group's offset on actions."""
        group = self.cluster.committed[f"{self.settings.app}-reactor"]
        return group.get(TopicPartition(self.topics.actions, partition))

    def records(self, topic: str, number: int = 0) -> list[Any]:
        """The committed records of a partition of a topic, the first unless told otherwise."""
        partition = self.cluster.partition(TopicPartition(topic, number))
        start, every = Offset(partition.start), partition.end + 1
        return list(partition.read(start, count_max=every, isolation=Isolation.COMMITTED)[0])


def _now_ms() -> int:
    return SystemClock().now_ms()


def site(app: str = "test", **settings: Any) -> Site:
    """One partition, unless told otherwise."""
    given: dict[str, Any] = {
        "partitions": 1,
        "replication_factor": 1,
        "min_insync_replicas": 1,
    } | settings
    return Site(Settings(app=app, **given))


async def until(condition: Callable[[], object]) -> None:
    """Wait until it holds: what nobody tells of must be looked at."""
    async with asyncio.timeout(10.0):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def until_ready(node: Node) -> None:
    """Wait until every partition serves."""
    await until(node.ready)


async def until_compacted(node: Node) -> None:
    """Wait until nothing of what was erased is still to be taken out of the tables' files."""
    partition = live(node)
    edges = partition.serving("relationships", None).projection
    assert isinstance(edges, RelationshipAgent)
    remains = (
        partition.operations.lasting.remains,
        partition.documents.remains,
        edges.table.remains,
        node.graph.table.remains,
    )
    await until(lambda: not any(one.some(1) for one in remains))


def counted(node: Node, name: str, /, **labels: str) -> float:
    """A figure of the node's; 0 when nothing of it was counted."""
    return node.metrics.registry.get_sample_value(f"docreactor_{name}", labels) or 0.0


def live(node: Node, partition: int = 0) -> LivePartition:
    """The partition's tables, which must be served here."""
    found = node.local(partition)
    assert found is not None, "the partition does not serve"
    return found


async def done(node: Node, job: Job) -> JobResult:
    """Submit a job and wait until the view shows it, or it has failed."""
    offset = await node.submit(job)
    async with asyncio.timeout(10.0):
        while True:
            await until(lambda: node.local(0))
            try:
                # A partition that begins anew is another one to ask.
                return await live(node).wait_job(job.id, offset=offset, until="read", timeout_s=0.5)
            except JobNotReadyError:
                continue


async def total(node: Node, document_id: str) -> Any:
    """What the documents table shows of a ledger."""
    shown = live(node).documents.document(document_id, "main")
    return None if shown is None else shown.state["global"]["total"]


def operations(node: Node, document_id: str, scope: str = "global") -> list[Operation]:
    """The stored operations of a stream of the main branch."""
    page = live(node).operations.page(Stream(document_id, scope, "main"), 0, 1000)
    return [Operation.decode(content) for _, content in page]
