"""Operations about edges on one partition, what they must come to, and who publishes that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson

from docreactor.agents.clock import Clock, SystemClock
from docreactor.agents.edge_record import quarantined_document
from docreactor.agents.log import Entry, Log, LogRecord, TopicPartition
from docreactor.agents.log.memory_transactor import Hook
from docreactor.agents.relationships import RelationshipAgent
from docreactor.pipeline.accepted import Accepted, accepted_key
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.edge import POSITION_KEY
from docreactor.pipeline.erased import Erased, erased_document, erased_key
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.position import Offset
from docreactor.pipeline.record import HEADERS, Headers
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.operations import OperationsTable
from tests.support import oracle
from tests.support.deployments import deployment
from tests.support.nodes import KeptStore, Site, site

BEGIN_US = 1_700_000_000_000_000
UNREADABLE = b"{"
"""The value of a record that no version could have written."""


class Read(NamedTuple):
    """A record as a reader brings it."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = HEADERS
    timestamp: int = 0


Folded = dict[bytes, bytes]
"""What stands on a topic: the newest value of every key that has one."""


def related_to(target_id: str, *, type: str = "child", **given: Any) -> dict[str, Any]:
    """The input of an action about an edge, but for its source."""
    return {"target_id": target_id, "relationship_type": type} | given


@dataclass
class History:
    """Writes operations as a reducer would: onto the log, and into the operation store."""

    place: Site = field(default_factory=site)
    streams: dict[Stream, list[Operation]] = field(default_factory=dict)
    written: int = 0
    """How far the operation store is."""
    queue: list[tuple[bytes, bytes | None]] = field(default_factory=list)

    @property
    def source(self) -> TopicPartition:
        return TopicPartition(self.place.topics.operations, 0)

    @property
    def write_store(self) -> KeptStore:
        return self.place.open_store("0/write")

    @property
    def end(self) -> int:
        return self.place.cluster.partition(self.source).end

    def tell(
        self,
        document_id: str,
        kind: str,
        input: Mapping[str, Any] | None = None,
        *,
        skip: int = 0,
        error: str | None = None,
        branch: str = "main",
        scope: str = "document",
        action_id: str = "",
        timestamp: str = "",
    ) -> Operation:
        """One operation more of the document's stream, written with the next `write`."""
        stream = Stream(document_id, scope, branch)
        stored = self.streams.setdefault(stream, [])
        index = len(stored)
        count = sum(map(len, self.streams.values()))
        timestamp = timestamp or render(Microseconds(BEGIN_US + 1_000_000 * count))
        given = None if input is None else {**input}
        if given is not None and "target_id" in given:
            given.setdefault("source_id", document_id)
        operation = Operation(
            id=f"{count:032x}",
            document_type="test/edges",
            index=index,
            skip=skip,
            timestamp=timestamp,
            hash="",
            previous=None,
            error=error,
            action=StoredAction(
                action_id or f"{document_id}-{index}", kind, scope, timestamp, given
            ),
        )
        stored.append(operation)
        self.queue.append((record_key(stream, index), operation.encode()))
        return operation

    def add(self, document_id: str, target_id: str, **given: Any) -> Operation:
        """The action that makes an edge."""
        return self.tell(document_id, "ADD_RELATIONSHIP", related_to(target_id, **given))

    def update(self, document_id: str, target_id: str, **given: Any) -> Operation:
        """The action that changes one."""
        return self.tell(document_id, "UPDATE_RELATIONSHIP", related_to(target_id, **given))

    def remove(self, document_id: str, target_id: str, **given: Any) -> Operation:
        """The action that ends one."""
        return self.tell(document_id, "REMOVE_RELATIONSHIP", related_to(target_id, **given))

    def spoil(self, document_id: str) -> None:
        """An operation that nobody can read, at the next place of the document's stream."""
        self.tell(document_id, "SPOILT")
        key, _ = self.queue.pop()
        self.queue.append((key, UNREADABLE))

    def again(self, operation: Operation, document_id: str, **given: Any) -> Operation:
        """The same action at another place of its stream."""
        action, timestamp = operation.action, operation.timestamp
        return self.tell(
            document_id,
            action.type,
            action.input,
            action_id=action.id,
            timestamp=timestamp,
            **given,
        )

    def erase(self, document_id: str) -> None:
        """Tombstones of all its operations, and the record that lasts."""
        for stream in [one for one in self.streams if one.document_id == document_id]:
            count = len(self.streams.pop(stream))
            self.queue += [(record_key(stream, index), None) for index in range(count)]
        self.queue.append((accepted_key(document_id), None))
        erased = Erased(document_id, render(Microseconds(BEGIN_US)))
        self.queue.append((erased_key(document_id), erased.encode()))

    def accept(self, document_id: str) -> None:
        """A person's word that the document shows what it should."""
        labels = {
            f"{stream.scope}/{stream.branch}": len(stored) - 1
            for stream, stored in self.streams.items()
            if stream.document_id == document_id
        }
        accepted = Accepted(document_id, render(Microseconds(BEGIN_US)), labels)
        self.queue.append((accepted_key(document_id), accepted.encode()))

    def other(self, key: bytes, value: bytes | None) -> None:
        """A record of something else."""
        self.queue.append((key, value))

    async def write(self, *, stored: bool = True) -> int:
        """Put what was told on the log, in a transaction; in the operation store too, or later."""
        entries, self.queue = [Entry(*pair) for pair in self.queue], []
        transactor = await self.place.log().transactor("the-reducer")
        async with transactor.transaction() as transaction:
            await transaction.send({self.source: entries})
        if stored:
            self.store()
        return self.end

    def store(self) -> None:
        """Let the operation store hold what is on the log."""
        records = [
            record
            for record in self.place.records(self.place.topics.operations)
            if record.offset >= self.written
        ]
        if not records:
            return
        known = [(one.key, one.value) for one in records if _is_stored(one)]
        rows = OperationsTable(self.write_store).restore_rows(known)
        self.written = records[-1].offset + 1
        self.write_store.write(rows, {self.source.topic: Offset(self.written)}, now_ms=1)

    async def stored(self, next_offset: int) -> None:
        """Let the operation store hold what lies below an offset."""
        if self.written < next_offset:
            self.store()
        assert self.written >= next_offset, "nobody has written that"

    def expected(self, below: int | None = None) -> Folded:
        """What all operations below an offset come to, told the plain way.

        A document of which one cannot be read stays as it was before that.
        """
        streams: dict[Stream, list[Operation]] = {}
        stuck: set[str] = set()
        for record in self.place.records(self.place.topics.operations):
            if below is not None and record.offset >= below:
                break
            erased = erased_document(record.key)
            if erased is not None:
                for stream in [one for one in streams if one.document_id == erased]:
                    del streams[stream]
            parts = record.key.decode().split("/")
            if record.value is None or len(parts) != 4 or parts[1] != "document":
                continue
            if record.value == UNREADABLE:
                stuck.add(parts[0])
            if parts[0] not in stuck:
                operation = Operation.decode(record.value)
                streams.setdefault(Stream(*parts[:3]), []).append(operation)
        folded: Folded = {}
        for stream, operations in streams.items():
            folded |= edges_of(stream, operations)
        return folded


def _is_stored(record: LogRecord) -> bool:
    """What is no operation stays out of the operation store."""
    return (record.key or b"").count(b"/") in (1, 3) and record.value != UNREADABLE


def edges_of(stream: Stream, operations: Sequence[Operation]) -> Folded:
    """The edges of one document, by the words of the rules."""
    edges: dict[bytes, dict[str, Any]] = {}
    for operation in oracle.live(oracle.effective(operations)):
        action = operation.action
        if not action.type.endswith("_RELATIONSHIP"):
            continue
        given = action.input
        parts = (stream.document_id, stream.branch, given["relationship_type"], given["target_id"])
        key = "/".join(parts).encode()
        known = edges.get(key)
        if action.type == "REMOVE_RELATIONSHIP":
            edges.pop(key, None)
        elif (action.type == "ADD_RELATIONSHIP") == (known is None):
            edges[key] = {
                "source_id": parts[0],
                "branch": parts[1],
                "type": parts[2],
                "target_id": parts[3],
                "metadata": given.get("metadata"),
                "created_at": action.timestamp if known is None else known["created_at"],
                "updated_at": action.timestamp,
            }
            if given.get("weight") is not None:
                edges[key]["weight"] = given["weight"]
    return {key: encode(edge) for key, edge in edges.items()}


def folded(records: Sequence[LogRecord], below: int | None = None) -> Folded:
    """What stands on the topic of relationships: edges, positions, and what was set aside."""
    standing: Folded = {}
    for record in records:
        if below is not None and record.offset >= below:
            break
        if record.value is None:
            standing.pop(record.key or b"", None)
        else:
            standing[record.key or b""] = record.value
    return standing


def only_edges(standing: Folded) -> Folded:
    """Without the records that say something else."""
    return {key: value for key, value in standing.items() if key.count(b"/") == 3}


def position_in(standing: Folded) -> int:
    """The position record's."""
    return int(orjson.loads(standing.get(POSITION_KEY, b'{"operations":0}'))["operations"])


def aside_in(standing: Folded) -> dict[str, str]:
    """The documents that are set aside, each with its problem's name."""
    found: dict[str, str] = {}
    for key, value in standing.items():
        document_id = quarantined_document(key)
        if document_id is not None:
            found[document_id] = orjson.loads(value)["title"]
    return found


@dataclass
class Publisher:
    """One agent and its lane: it reads operations in batches of a size."""

    history: History
    agent: RelationshipAgent
    log: Log
    size: int = 4
    position: Offset = field(default_factory=lambda: Offset(0))
    told: list[tuple[int, int]] = field(default_factory=list)
    """What its row has said: the next offset of operations, and up to where that is published."""

    async def open(self) -> None:
        """As a lane does; a row is told of it."""
        self.position = await self.agent.open()
        self._tell()

    async def step(self) -> bool:
        """Apply one batch; whether there was one."""
        reader = await self.log.reader({self.history.source: self.position})
        fetched = await reader.fetch(count_max=self.size, timeout_ms=0)
        await reader.close()
        batch = fetched.get(self.history.source)
        if batch is None:
            return False
        await self.agent.apply(batch.records, batch.next_offset, stored=self.history.stored)
        self.position = batch.next_offset
        self._tell()
        return True

    async def run(self) -> None:
        """To the end."""
        while await self.step():
            pass

    def _tell(self) -> None:
        published = self.agent.row().get("published")
        assert published is not None, "an agent that is open says how far it has published"
        self.told.append((self.position, published))

    @property
    def rows(self) -> Folded:
        """The edges in its own store."""
        store = self.agent.table.store
        return {key[2:]: value for key, value in store.scan(b"e/", b"e0")}

    @property
    def topic(self) -> list[Any]:
        """What can be read of the topic."""
        place = self.history.place
        return place.records(place.topics.relationships)

    def check(self) -> None:
        """Own rows and the topic are exactly what the operations come to."""
        expected = self.history.expected(self.position)
        assert only_edges(folded(self.topic)) == expected
        assert self.rows == expected


def publisher(
    history: History,
    *,
    hook: Hook | None = None,
    size: int = 4,
    host: str = "",
    clock: Clock | None = None,
    to: Log | None = None,
) -> Publisher:
    """An agent of another process over the same log, on one of several hosts.

    It may write `to` another log, where the operations stand at the same offsets.
    """
    place = history.place
    log = place.log(hook)
    given = replace(deployment(place), log=to or log, clock=clock or SystemClock())
    agent = RelationshipAgent(
        given, 0, store=place.open_store(own_store(host)), write_store=history.write_store
    )
    return Publisher(history, agent, log, size)


def own_store(host: str = "") -> str:
    """Where a host keeps its edges."""
    return f"{host}0/relationships"


@asynccontextmanager
async def publishing(history: History, **given: Any) -> AsyncIterator[Publisher]:
    """A publisher that has come to the end, until the block ends."""
    one = publisher(history, **given)
    await one.open()
    try:
        await one.run()
        yield one
    finally:
        await one.agent.close()
