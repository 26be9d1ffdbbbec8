"""Own rows are brought to the end of the topic, with the position that it leads to."""

from __future__ import annotations

from docreactor.agents.edge_record import erased_entry, position_entry, quarantine_entry
from docreactor.agents.edge_restore import EdgeRestore
from docreactor.agents.log import Entry, TopicPartition
from docreactor.pipeline.edge import Edge
from docreactor.pipeline.position import Offset
from docreactor.tables.edges import EdgesTable
from docreactor.tables.memory import MemoryStore
from tests.support.nodes import Site, site


def _edge(source_id: str, target_id: str) -> Entry:
    edge = Edge(
        source_id=source_id,
        branch="main",
        type="child",
        target_id=target_id,
        metadata=None,
        created_at="t",
        updated_at="t",
    )
    return Entry(edge.key, edge.encode())


def _restore(place: Site, table: EdgesTable) -> EdgeRestore:
    source = TopicPartition(place.topics.relationships, 0)
    operations = place.topics.operations
    return EdgeRestore(place.log(), source, table, operations=operations, now_ms=lambda: 7)


async def _restored(place: Site, table: EdgesTable | None = None) -> EdgesTable:
    table = table or EdgesTable(MemoryStore())
    await _restore(place, table).run(Offset(0))
    return table


def _targets(table: EdgesTable, source_id: str) -> list[str]:
    return [edge.target_id for edge in table.of(source_id, "main")]


async def test_an_empty_topic_leaves_no_row_but_a_position() -> None:
    place = site()
    table = await _restored(place)
    assert table.store.positions() == {place.topics.relationships: 0}


async def test_rows_and_both_positions_are_those_of_the_topic() -> None:
    place = site()
    topic = place.topics.relationships
    await place.write(topic, _edge("a", "x"), _edge("a", "y"), position_entry(Offset(5)))
    tombstone = Entry(_edge("a", "x").key, None)
    await place.write(topic, tombstone, position_entry(Offset(9)))
    table = await _restored(place)
    assert _targets(table, "a") == ["y"]
    assert table.store.positions() == {topic: 5, place.topics.operations: 9}


async def test_it_goes_on_from_where_the_store_is() -> None:
    place = site()
    topic = place.topics.relationships
    await place.write(topic, _edge("a", "x"), position_entry(Offset(5)))
    table = await _restored(place)
    await place.write(topic, _edge("a", "y"), position_entry(Offset(6)))
    assert await _restore(place, table).run(Offset(0)) == 2
    assert _targets(table, "a") == ["x", "y"]
    assert table.store.positions() == {topic: 4, place.topics.operations: 6}


async def test_documents_are_set_aside_and_taken_back_as_the_topic_says() -> None:
    place = site()
    problem = {"title": "CorruptHistory"}
    entries = [quarantine_entry(name, problem) for name in ("a", "b", "c")]
    await place.write(place.topics.relationships, *entries, quarantine_entry("b", None))
    table = await _restored(place)
    assert dict(table.quarantined()) == {"a": problem, "c": problem}
    await place.write(place.topics.relationships, quarantine_entry("a", None))
    await _restored(place, table)
    assert dict(table.quarantined()) == {"c": problem}


async def test_an_erasure_leaves_nothing_and_lets_the_files_be_compacted() -> None:
    place = site()
    entries = [_edge("a", "x"), _edge("b", "x"), quarantine_entry("a", {"title": "X"})]
    erasing = [erased_entry("a"), Entry(_edge("a", "x").key, None), quarantine_entry("a", None)]
    await place.write(place.topics.relationships, *entries, *erasing)
    table = await _restored(place)
    assert _targets(table, "a") == []
    assert _targets(table, "b") == ["x"]
    assert dict(table.quarantined()) == {}
    assert [document_id for document_id, _ in table.remains.some(9)] == ["a"]


async def test_records_of_something_else_hold_nothing_up() -> None:
    place = site()
    entries = [
        Entry(None, b"{}"),
        Entry(b"\xff", b"{}"),
        Entry(b"no edge", b"{}"),
        Entry(b"position", b"{}"),
        Entry(b"x/quarantined", b"{"),
        _edge("a", "x"),
    ]
    await place.write(place.topics.relationships, *entries)
    assert _targets(await _restored(place), "a") == ["x"]
