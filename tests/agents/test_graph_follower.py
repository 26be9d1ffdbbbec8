"""One graph per node: it follows every partition, and says up to where operations are shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from docreactor.agents.board import Board
from docreactor.agents.edge_record import (
    change_entry,
    erased_entry,
    position_entry,
    quarantine_entry,
)
from docreactor.agents.graph_follower import GRAPH_SCHEMA, GraphFollower
from docreactor.agents.log import Entry, Isolation, Log, TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.pipeline.edge import Change, Edge, EdgeKey, Kind
from docreactor.pipeline.errors import LogError, NotYetVisibleError, RestoringError
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.position import Offset, Partition, Position
from docreactor.tables.graph import GraphTable
from docreactor.tables.store import StoreIdentity
from tests.support.nodes import LOG_ID, KeptStore, Site, site, until

PARTITIONS = 3
HOUR_MS = 3_600_000


class Trouble(MemoryLog):
    """A log whose readers fail when told to."""

    failures = 0
    readers = 0

    async def reader(
        self,
        sources: Mapping[TopicPartition, Offset],
        isolation: Isolation = Isolation.COMMITTED,
    ) -> Any:
        self.readers += 1
        if self.failures:
            self.failures -= 1
            raise LogError("no broker answers")
        return await super().reader(sources, isolation)


class Follower:
    """A follower over a site, and the board that it listens to."""

    def __init__(self, place: Site, log: Log | None = None) -> None:
        self.place = place
        self.now_ms = 1_000 * HOUR_MS
        self.board = Board(place.log(), place.topics)
        self.store: KeptStore = place.open_store("graph")
        count = place.settings.partitions
        self.graph = GraphFollower(
            log or place.log(),
            place.topics,
            GraphTable(self.store, partition_count=count, documents_max=1_000),
            self.board,
            place.settings,
            log_id=LOG_ID,
            now_ms=lambda: self.now_ms,
        )

    @property
    def shown(self) -> dict[int, int]:
        position = self.graph.position()
        return {int(part): int(offset) for part, offset in position.next_offsets.items()}

    def targets(self, source_id: str) -> list[str]:
        page = self.graph.table.outgoing(source_id, None, "main", limit=100)
        return [edge.target_id for edge in page.edges]

    def told(self, partition: int, *, operations: int | None, published: int | None) -> None:
        """A row of the partition's owner."""
        row: dict[str, Any] = {"epoch": 1, "partition": partition, "next_offset": operations}
        if published is not None:
            row["published"] = published
        self.board.tell(f"view/relationships/0/{partition}", row)

    @asynccontextmanager
    async def running(self, *, ready: bool = True) -> AsyncIterator[None]:
        task = asyncio.create_task(self.graph.run())
        try:
            if ready:
                await until(lambda: self.graph.is_ready)
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _site() -> Site:
    return site(partitions=PARTITIONS)


def _source(partition: int) -> str:
    """A document of the partition."""
    names = (f"d{number}" for number in range(1_000))
    return next(name for name in names if partition_for(name, PARTITIONS) == partition)


def _edge(source_id: str, target_id: str, kind: Kind = "added") -> Entry:
    key = EdgeKey(source_id, "main", "child", target_id)
    if kind == "removed":
        return change_entry(Change(key, None, kind))
    edge = Edge(
        source_id=source_id,
        branch="main",
        type="child",
        target_id=target_id,
        metadata=None,
        created_at="t",
        updated_at="t",
    )
    return change_entry(Change(key, edge, kind))


async def _publish(place: Site, partition: int, *entries: Entry) -> int:
    """One transaction of the partition's owner; the offset behind it."""
    to = TopicPartition(place.topics.relationships, partition)
    transactor = await place.log().transactor(f"owner-{partition}")
    async with transactor.transaction() as transaction:
        await transaction.send({to: entries})
    return place.cluster.partition(to).end


A, B, C = (_source(partition) for partition in range(PARTITIONS))


async def test_it_shows_the_edges_of_every_partition() -> None:
    place = _site()
    await _publish(place, 0, _edge(A, "x"), position_entry(Offset(5)))
    one = Follower(place)
    async with one.running():
        assert one.targets(A) == ["x"]
        assert (one.graph.progress, one.graph.error) == (1.0, None)
        await _publish(place, 1, _edge(B, "y"), position_entry(Offset(7)))
        await _publish(place, 2, _edge(C, "z"), position_entry(Offset(9)))
        wanted = Position(LOG_ID, {Partition(1): Offset(7), Partition(2): Offset(9)})
        await one.graph.wait(wanted, 5.0)
        assert (one.targets(B), one.targets(C)) == (["y"], ["z"])
        assert one.shown == {0: 5, 1: 7, 2: 9}
        await _publish(place, 0, _edge(A, "x", "removed"), position_entry(Offset(6)))
        await one.graph.reached(0).wait(6, 5.0)
        assert one.targets(A) == []


async def test_a_row_of_the_owner_counts_once_all_that_it_published_is_shown() -> None:
    place = _site()
    one = Follower(place)
    async with one.running():
        one.told(0, operations=20, published=0)
        assert one.shown == {0: 20}
        one.told(0, operations=30, published=2)
        assert one.shown == {0: 20}
        await _publish(place, 0, _edge(A, "x"), position_entry(Offset(25)))
        await one.graph.reached(0).wait(30, 5.0)
        # What is said of no edges, or by whoever is not open, changes nothing.
        one.told(0, operations=40, published=None)
        one.told(0, operations=None, published=0)
        one.told(PARTITIONS, operations=50, published=0)
        one.board.tell("view/documents/0/0", {"epoch": 1, "partition": 0, "next_offset": 99})
        assert one.shown == {0: 30}


async def test_what_it_has_said_never_goes_back() -> None:
    place = _site()
    one = Follower(place)
    async with one.running():
        await _publish(place, 0, position_entry(Offset(25)))
        await one.graph.reached(0).wait(25, 5.0)
        end = await _publish(place, 0, _edge(A, "x"), position_entry(Offset(20)))
        one.told(0, operations=22, published=end)
        await until(lambda: one.targets(A))
        assert one.shown == {0: 25}


async def test_a_wait_ends_by_name_when_it_takes_too_long() -> None:
    one = Follower(_site())
    async with one.running():
        await one.graph.wait(Position(LOG_ID, {}), 0.0)
        wanted = Position(LOG_ID, {Partition(0): Offset(1)})
        with pytest.raises(NotYetVisibleError) as raised:
            await one.graph.wait(wanted, 0.01)
        assert raised.value.facts["wanted"] == wanted.token
        with pytest.raises(NotYetVisibleError):
            await one.graph.wait(Position(LOG_ID, {Partition(PARTITIONS): Offset(1)}), 0.01)


async def test_until_it_has_been_at_the_end_it_says_that_it_restores() -> None:
    place = _site()
    await _publish(place, 0, _edge(A, "x"), position_entry(Offset(5)))
    log = Trouble(place.cluster, place.settings)
    log.failures = 1
    one = Follower(place, log)
    async with one.running(ready=False):
        await until(lambda: one.graph.error)
        with pytest.raises(RestoringError):
            await one.graph.wait(Position(LOG_ID, {}), 1.0)
        await until(lambda: one.graph.is_ready)
        assert one.graph.error is None


async def test_a_restart_reads_what_it_lacks_only() -> None:
    place = _site()
    await _publish(place, 0, _edge(A, "x"), position_entry(Offset(5)))
    one = Follower(place)
    async with one.running():
        pass
    await _publish(place, 0, _edge(A, "y"), position_entry(Offset(6)))
    topic = place.topics.relationships
    place.cluster.compact(topic)
    written: list[bytes] = []
    again = Follower(place)
    write = again.store.write

    def told(rows: Sequence[Any], *given: Any, **fields: Any) -> None:
        written.extend(key for key, value in rows if value is not None)
        write(rows, *given, **fields)

    again.store.write = told  # type: ignore[method-assign]
    async with again.running():
        assert again.targets(A) == ["x", "y"]
        assert not [key for key in written if key.endswith(b"x\0child")]


@pytest.mark.parametrize("reason", ["log", "schema", "ahead", "behind", "old"])
async def test_rows_that_the_log_does_not_vouch_for_are_thrown_away(reason: str) -> None:
    place = _site()
    end = await _publish(place, 0, _edge(A, "x"), position_entry(Offset(5)))
    one = Follower(place)
    async with one.running():
        pass
    source = TopicPartition(place.topics.relationships, 0)
    ghost = one.graph.table.rows_for(0, [(_edge(A, "ghost").key or b"", _edge(A, "ghost").value)])
    rows = list(one.store.scan(b"\0", b"\xff")) + ghost
    positions = dict(one.store.positions())
    identity = StoreIdentity(LOG_ID, GRAPH_SCHEMA)
    if reason == "log":
        identity = StoreIdentity("f" * 32, GRAPH_SCHEMA)
    elif reason == "schema":
        identity = StoreIdentity(LOG_ID, GRAPH_SCHEMA + 1)
    elif reason == "ahead":
        positions[f"{source.topic}-0"] = Offset(end + 1)
    one.store.begin(identity)
    one.store.write(rows, positions, now_ms=one.now_ms)
    if reason == "behind":
        first = position_entry(Offset(5))
        await _publish(place, 0, first, _edge(A, "x"), position_entry(Offset(6)))
        place.cluster.truncate(source, before=Offset(end + 1))
    again = Follower(place)
    again.now_ms = one.now_ms + (24 * 8 * HOUR_MS if reason == "old" else 0)
    assert again.targets(A) == ["ghost", "x"]
    async with again.running():
        assert again.targets(A) == ["x"]


async def test_it_begins_anew_when_the_log_no_longer_holds_its_position() -> None:
    place = _site()
    await _publish(place, 0, _edge(A, "x"), position_entry(Offset(5)))
    log = Trouble(place.cluster, place.settings)
    one = Follower(place, log)
    async with one.running():
        assert log.readers == 1
        end = await _publish(place, 0, _edge(A, "y"), position_entry(Offset(6)))
        await one.graph.reached(0).wait(6, 5.0)
        source = TopicPartition(place.topics.relationships, 0)
        await _publish(place, 0, _edge(A, "z"), position_entry(Offset(7)))
        place.cluster.truncate(source, before=Offset(end))
        await until(lambda: "z" in one.targets(A))
        assert one.shown == {0: 7}


async def test_changes_are_told_after_they_are_shown_and_none_while_it_restores() -> None:
    place = _site()
    await _publish(place, 0, _edge(A, "before"), position_entry(Offset(5)))
    one = Follower(place)
    told: list[tuple[int, str, str, bool]] = []

    def tell(partition: int, changes: Sequence[Change]) -> None:
        for key, _, kind in changes:
            told.append((partition, key.target_id, kind, key.target_id in one.targets(A)))

    one.graph.watch_changes(tell)
    async with one.running():
        assert told == []
        changes = [_edge(A, "x"), _edge(A, "x", "updated"), _edge(A, "before", "removed")]
        other = [quarantine_entry(A, {"title": "X"}), Entry(b"no edge", b"{}")]
        await _publish(place, 0, *changes, *other, position_entry(Offset(6)))
        await one.graph.reached(0).wait(6, 5.0)
        assert told == [
            (0, "x", "added", True),
            (0, "x", "updated", True),
            (0, "before", "removed", False),
        ]
        one.graph.unwatch_changes(tell)
        await _publish(place, 0, _edge(A, "y"), position_entry(Offset(7)))
        await one.graph.reached(0).wait(7, 5.0)
        assert len(told) == 3


async def test_an_erasure_is_taken_out_of_the_files_too() -> None:
    place = _site()
    compacted: list[tuple[bytes, bytes]] = []
    one = Follower(place)
    compact = one.store.compact

    def told(start: bytes, end: bytes) -> None:
        compacted.append((start, end))
        compact(start, end)

    one.store.compact = told  # type: ignore[method-assign]
    await _publish(place, 0, _edge(A, "x"), position_entry(Offset(5)))
    async with one.running():
        gone = [erased_entry(A), _edge(A, "x", "removed"), position_entry(Offset(6))]
        await _publish(place, 0, *gone)
        await one.graph.reached(0).wait(6, 5.0)
        assert one.targets(A) == []
        await until(lambda: compacted and not one.graph.table.remains.some(1))


async def test_a_position_that_cannot_be_read_holds_nothing_up() -> None:
    place = _site()
    await _publish(place, 0, _edge(A, "x"), Entry(b"position", b"{"))
    one = Follower(place)
    async with one.running():
        assert one.targets(A) == ["x"]
        assert one.shown == {}


async def test_a_quiet_follower_says_every_hour_that_it_has_seen_the_log() -> None:
    one = Follower(_site())
    async with one.running():
        before = one.store.written_ms
        one.now_ms += HOUR_MS + 1
        await until(lambda: one.store.written_ms != before)


async def test_the_loop_gets_its_turn_while_much_is_restored() -> None:
    place = _site()
    for start in range(0, 20_000, 5_000):
        edges = [_edge(A, f"x{number}") for number in range(start, start + 5_000)]
        await _publish(place, 0, *edges, position_entry(Offset(start + 5_000)))
    one = Follower(place)
    longest = 0.0
    loop = asyncio.get_running_loop()

    async def watch() -> None:
        nonlocal longest
        while not one.graph.is_ready:
            before = loop.time()
            await asyncio.sleep(0)
            longest = max(longest, loop.time() - before)

    async with one.running(ready=False):
        await watch()
        assert one.shown == {0: 20_000}
    assert longest < 1.0
