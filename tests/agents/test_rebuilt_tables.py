"""Tables that are made again are those that were kept all along, whatever happened on the way."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from docreactor.agents.kept import store_name
from docreactor.agents.live import LivePartition
from docreactor.agents.model_row import BUILT_IN, DOCUMENTS, RELATIONSHIPS
from docreactor.agents.node import Node
from docreactor.pipeline.keys import Stream, parse_record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.position import Offset
from tests.support.lives import HERE, PARTITIONS, Life, Rows, differing, rows_of, shows, tidied
from tests.support.nodes import live, until
from tests.support.relating import edges_of
from tests.support.seeds import Seeds

EMPTY = "empty"
"""A disk on which nothing was ever kept."""

Tables = dict[str, Rows]


def _tables(life: Life, node: Node, disk: str) -> Tables:
    """Every row of every table of a disk that answers something."""
    found = {"graph": rows_of(life.store(disk, "graph"))}
    for number in range(PARTITIONS):
        generation = live(node, number).serving(DOCUMENTS, None).generation
        documents = life.store(disk, f"{number}/{store_name(DOCUMENTS, generation)}")
        found[f"{number} operations"] = _lasting(rows_of(life.store(disk, f"{number}/write")))
        found[f"{number} documents"] = _shown(rows_of(documents))
        found[f"{number} relationships"] = rows_of(life.store(disk, f"{number}/{RELATIONSHIPS}"))
    return found


def _lasting(rows: Rows) -> Rows:
    """Without what heads say of the newest keyframe: whoever restores begins to count anew."""
    return {
        key: value[:16] + value[32:] if key.startswith(b"h/") else value
        for key, value in rows.items()
    }


def _shown(rows: Rows) -> Rows:
    """Without the positions of documents that were derived when others were behind."""
    return {
        key: value
        for key, value in rows.items()
        if not key.startswith(b"q/") or b"shown_below" not in value
    }


def _check(tables: Tables, kept: Tables) -> None:
    """All rows are the same."""
    assert tables.keys() == kept.keys()
    wrong = {name: found for name in kept if (found := differing(kept[name], tables[name]))}
    assert not wrong, wrong


def _related(life: Life, number: int) -> Rows:
    """What the operations of a partition make of edges, by the words of the rules."""
    stored: dict[Stream, dict[int, Operation]] = {}
    for record in life.place.records(life.place.topics.operations, number):
        if b"/document/" in record.key:
            stream, index = parse_record_key(record.key)
            if record.value is None:
                stored.pop(stream, None)
            else:
                stored.setdefault(stream, {})[index] = Operation.decode(record.value)
    rows: Rows = {}
    for stream, operations in stored.items():
        edges = edges_of(stream, [operations[index] for index in sorted(operations)])
        rows |= {b"e/" + key: edge for key, edge in edges.items()}
    return rows


async def _rebuild(node: Node) -> None:
    """Have another generation of each read model serve."""
    for name in BUILT_IN:
        generation = node.coordinator.rebuild(name).generation
        for number in range(PARTITIONS):
            await until(partial(_is_rebuilt, live(node, number), name, generation))


def _is_rebuilt(partition: LivePartition, name: str, generation: int) -> bool:
    if not shows(partition, name, 0):
        return False
    kept = partition.serving(name, None)
    return kept.generation == generation and kept.has_caught_up


async def _replay(node: Node) -> None:
    """Derive everything anew in the generations that serve."""
    for number in range(PARTITIONS):
        for name in BUILT_IN:
            page = await live(node, number).derived().replay(name, Offset(0), count_max=1_000)
            assert page.next_offset is None


async def _live_and_rebuild(seed: int) -> None:
    life = Life(seed)
    await life.live()
    async with life.process(HERE) as node:
        await life.settled(node)
        await tidied(life, HERE)
        kept = _tables(life, node, HERE)
        for number in range(PARTITIONS):
            assert kept[f"{number} relationships"] == _related(life, number)
        await _rebuild(node)
        await tidied(life, HERE)
        _check(_tables(life, node, HERE), kept)
        await _replay(node)
        _check(_tables(life, node, HERE), kept)
    async with life.process(EMPTY) as node:
        await life.settled(node)
        await tidied(life, EMPTY)
        _check(_tables(life, node, EMPTY), kept)


@pytest.mark.seeds(24, each=8)
def test_tables_that_are_made_again_are_those_that_were_kept(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            asyncio.run(_live_and_rebuild(seed))


@pytest.mark.nightly
@pytest.mark.seeds(3_000, each=100)
def test_tables_of_very_many_lives_are_those_that_were_kept(seeds: Seeds) -> None:
    test_tables_that_are_made_again_are_those_that_were_kept(seeds)
