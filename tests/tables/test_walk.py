"""Walks take the shortest way, meet the nearest first, and let the loop go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import pairwise
from typing import Any

import pytest

from docreactor.pipeline.edge import Edge
from docreactor.pipeline.errors import WalkTooLongError
from docreactor.tables import walk
from docreactor.tables.edge_index import EdgeIndex
from docreactor.tables.graph_batch import GraphBatch
from docreactor.tables.memory import MemoryStore
from docreactor.tables.walk import Walk
from tests.tables.edge_oracle import PARTITIONS, edge, partition_of


def index_of(*edges: Edge) -> EdgeIndex:
    """An index of edges."""
    store = MemoryStore()
    for partition in range(PARTITIONS):
        batch = GraphBatch(store, partition, partition_count=PARTITIONS)
        for one in edges:
            if partition_of(one.source_id) == partition:
                batch.add(one.key, one.encode())
        store.write(batch.rows(), {}, now_ms=1)
    return EdgeIndex(store, partition_count=PARTITIONS)


def walk_over(
    index: EdgeIndex, types: Sequence[str] = (), *, documents_max: int = 1_000_000
) -> Walk:
    return Walk(index, types, "main", documents_max=documents_max)


def hub(count: int) -> list[Edge]:
    """One document with edges from it and to it, none of which lead on."""
    return [
        *(edge("hub", f"after-{at}") for at in range(count)),
        *(edge(f"before-{at}", "hub") for at in range(count)),
    ]


async def test_of_ways_of_one_length_the_same_is_taken_whoever_asks_when() -> None:
    edges = [edge("a", f"m{at}", at=at % 3) for at in range(9)]
    edges += [edge(f"m{at}", "z", at=at % 2) for at in range(9)]
    found = await walk_over(index_of(*edges)).path("a", "z")

    assert found is not None
    for _ in range(3):
        edges.reverse()
        assert await walk_over(index_of(*edges)).path("a", "z") == found


@pytest.mark.parametrize("length", range(1, 8))
async def test_a_path_is_the_shortest_whichever_side_widens_faster(length: int) -> None:
    chain = [edge(f"c{at}", f"c{at + 1}") for at in range(length)]
    detour = [edge("c0", "d0"), *(edge(f"d{at}", f"d{at + 1}") for at in range(length))]
    wide = [edge(f"c{at}", f"w{at}-{n}") for at in range(length) for n in range(at * 3)]
    wide += [edge(f"v{at}-{n}", f"c{at}") for at in range(length) for n in range(9 - at)]
    index = index_of(*chain, *detour, edge(f"d{length}", f"c{length}"), *wide)

    path = await walk_over(index).path("c0", f"c{length}")

    assert path == [f"c{at}" for at in range(length + 1)]


async def test_a_path_goes_on_from_the_side_that_has_less_to_go_on_from() -> None:
    way = ["s", "m1", "x", "y", "z"]
    index = index_of(
        *(edge(*pair) for pair in pairwise(way)),
        edge("s", "m2"),
        *(edge("m1", f"leaf-{at}") for at in range(90)),
    )
    back = index_of(
        *(edge(*pair) for pair in pairwise(way)),
        edge("m2", "z"),
        *(edge(f"root-{at}", "y") for at in range(90)),
    )

    assert await walk_over(index, documents_max=9).path("s", "z") == way
    assert await walk_over(back, documents_max=9).path("s", "z") == way


async def test_ancestors_come_nearer_ones_first() -> None:
    index = index_of(edge("b", "a"), edge("c", "b"), edge("d", "a"), edge("e", "c"), edge("e", "a"))

    graph = await walk_over(index).ancestors("a")

    assert graph.nodes[0] == "a"
    assert set(graph.nodes[1:4]) == {"b", "d", "e"}
    assert graph.nodes[4:] == ("c",)


async def test_an_orphan_is_told_once_however_many_edges_lead_to_it() -> None:
    index = index_of(
        edge("a", "x", "child"), edge("a", "x", "cites"), edge("b", "x", "child"), edge("b", "y")
    )

    found = await walk_over(index).orphans(["b", "a", "b"], None, 9)
    again = await walk_over(index).orphans(["b", "a"], found[0], 9)

    assert [(one.parent_id, one.place.other_id) for one in found] == [("a", "x"), ("b", "y")]
    assert again == found[1:]
    assert await walk_over(index).orphans(["b", "a"], None, 1) == found[:1]


async def test_a_document_may_have_as_many_ancestors_as_are_allowed() -> None:
    index = index_of(*(edge(f"p{at}", "a") for at in range(9)))

    assert len((await walk_over(index, documents_max=10).ancestors("a")).nodes) == 10
    with pytest.raises(WalkTooLongError):
        await walk_over(index, documents_max=9).ancestors("a")


async def test_a_path_may_meet_as_many_documents_as_are_allowed() -> None:
    index = index_of(*hub(20), edge("after-3", "z"))

    assert await walk_over(index, documents_max=23).path("hub", "z") == ["hub", "after-3", "z"]
    with pytest.raises(WalkTooLongError, match="from hub on"):
        await walk_over(index, documents_max=15).path("hub", "nowhere")


@pytest.mark.parametrize(
    "read",
    [
        lambda walk: walk.path("hub", "nowhere"),
        lambda walk: walk.ancestors("hub"),
        lambda walk: walk.orphans(["hub"], None, 10_000),
    ],
    ids=["path", "ancestors", "orphans"],
)
async def test_the_loop_goes_on_during_a_walk_which_ends_when_cancelled(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[Walk], Coroutine[Any, Any, Any]]
) -> None:
    monkeypatch.setattr(walk, "_STRETCH_S", 0.0)
    index = index_of(*hub(2_000))

    whole = asyncio.create_task(read(walk_over(index)))
    turns = 0
    while not whole.done():
        await asyncio.sleep(0)
        turns += 1
    broken = asyncio.create_task(read(walk_over(index)))
    await asyncio.sleep(0)
    broken.cancel()
    await asyncio.wait({broken})

    assert turns > 10
    assert broken.cancelled()
