"""The graph of all documents answers as its edges are, from both of their ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from docreactor.pipeline.edge import POSITION_KEY, Edge
from docreactor.pipeline.erased import erased_key
from docreactor.pipeline.errors import (
    InvalidInputError,
    UndecodableRecordError,
    WalkTooLongError,
)
from docreactor.pipeline.graph import GraphEdge
from docreactor.pipeline.position import Offset
from docreactor.tables.edge_page import EdgePage, IdPage
from docreactor.tables.graph import GraphTable
from docreactor.tables.memory import MemoryStore
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import Store, StoreIdentity
from tests.support.seeds import Seeds
from tests.tables.contract import GREATEST, LEAST
from tests.tables.edge_oracle import (
    BRANCHES,
    IDS,
    PARTITIONS,
    TYPES,
    PlainGraph,
    drawn_records,
    edge,
    moment,
    partition_of,
)

IDENTITY = StoreIdentity("a" * 32, 1)
REMAINS, REMAINS_END = b"c/", b"c0"


def graph_in(store: Store, *, documents_max: int = 1_000) -> GraphTable:
    return GraphTable(store, partition_count=PARTITIONS, documents_max=documents_max)


def write(table: GraphTable, *edges: Edge) -> None:
    """Take edges, each in the partition that it is of."""
    for one in edges:
        rows = table.rows_for(partition_of(one.source_id), [(one.key, one.encode())])
        table.store.write(rows, {}, now_ms=1)


def shown(store: Store) -> list[tuple[bytes, bytes]]:
    """All rows but those that say what is still to be compacted."""
    rows = store.scan(LEAST, GREATEST)
    return [row for row in rows if not REMAINS <= row[0] < REMAINS_END]


def paged(read: Callable[[str | None], EdgePage], limit: int) -> list[Edge]:
    """All pages of edges, each of them full but the last."""
    found: list[Edge] = []
    cursor: str | None = None
    while True:
        page = read(cursor)
        found += page.edges
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.edges) == limit


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else RocksStore.open(tmp_path)
    with closing(made):
        made.begin(IDENTITY)
        yield made


@pytest.fixture
def table(store: Store) -> GraphTable:
    return graph_in(store)


# What semantics ask of an indexer.


async def test_bfs_path_self_none_cycles_terminate_ancestors_and_orphaned_children(
    table: GraphTable,
) -> None:
    write(
        table,
        edge("root", "shop", at=1),
        edge("shop", "book", at=2),
        edge("book", "page", at=3),
        edge("root", "page", "cites", at=4),
        edge("page", "root", "cites", at=5),
        edge("club", "book", at=6),
    )

    assert await table.path("root", "page", None, "main") == ["root", "page"]
    assert await table.path("root", "page", ["child"], "main") == ["root", "shop", "book", "page"]
    assert await table.path("shop", "root", None, "main") == ["shop", "book", "page", "root"]
    assert await table.path("page", "page", None, "main") == ["page"]
    assert await table.path("unknown", "unknown", None, "main") == ["unknown"]
    assert await table.path("root", "club", None, "main") is None
    assert await table.path("root", "page", ["likes"], "main") is None
    assert await table.path("root", "page", None, "draft") is None

    ancestors = await table.ancestors("book", ["child"], "main")
    assert ancestors.nodes == ("book", "shop", "club", "root")
    assert set(ancestors.edges) == {
        GraphEdge("shop", "book", "child"),
        GraphEdge("club", "book", "child"),
        GraphEdge("root", "shop", "child"),
    }
    assert (await table.ancestors("club", None, "main")).nodes == ("club",)
    in_a_circle = await table.ancestors("root", None, "main")
    assert set(in_a_circle.nodes) == {"root", "page", "book", "shop", "club"}
    assert in_a_circle.traverse("club") == ["club", "book", "page", "root", "shop"]

    async def orphans(*parents: str) -> list[str]:
        return (await table.orphans(parents, ("child",), "main", limit=9)).ids

    assert await orphans("root") == ["shop"]
    assert await orphans("shop") == []
    assert await orphans("shop", "club") == ["book"]
    assert await orphans() == []


# Random histories.


@pytest.mark.seeds(12, each=4)
async def test_random_graphs_answer_as_their_edges_are(store: Store, seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            await _answers_as_its_edges_are(store, Random(seed))


@pytest.mark.nightly
@pytest.mark.seeds(2_000, each=100)
async def test_many_random_graphs_answer_as_their_edges_are(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            await _answers_as_its_edges_are(MemoryStore(), Random(seed))


async def _answers_as_its_edges_are(store: Store, random: Random) -> None:
    store.begin(IDENTITY)
    table, plain = graph_in(store), PlainGraph()
    for partition, batch in drawn_records(random, random.randrange(1, 30)):
        store.write(table.rows_for(partition, batch), {"r": Offset(1)}, now_ms=1)
        plain.take(batch)
        if random.random() < 0.05:
            _forget_and_restore(table, plain, partition)
    assert shown(store) == _rebuilt(plain)
    for _ in range(6):
        types = random.sample(TYPES, random.randrange(3))
        branch = random.choice(BRANCHES)
        await _same_answers(table, plain, random, types, branch)


def _forget_and_restore(table: GraphTable, plain: PlainGraph, partition: int) -> None:
    table.store.write(list(table.forget_rows(partition)), {}, now_ms=1)
    rest = PlainGraph(
        one for one in plain.edges.values() if partition_of(one.source_id) != partition
    )
    assert shown(table.store) == _rebuilt(rest)
    write(table, *(one for one in plain.edges.values() if one.name not in rest.edges))


def _rebuilt(plain: PlainGraph) -> list[tuple[bytes, bytes]]:
    """The rows of a table that got what compaction leaves, in one batch for each partition."""
    table = graph_in(MemoryStore())
    for partition in range(PARTITIONS):
        pairs = [
            (one.key, one.encode())
            for one in plain.edges.values()
            if partition_of(one.source_id) == partition
        ]
        table.store.write(table.rows_for(partition, pairs), {}, now_ms=1)
    return shown(table.store)


async def _same_answers(
    table: GraphTable, plain: PlainGraph, random: Random, types: Collection[str], branch: str
) -> None:
    a, b = random.sample(IDS, 2)
    limit = random.randrange(1, 5)
    for of_table, of_plain in (
        (table.outgoing, plain.outgoing),
        (table.incoming, plain.incoming),
        (table.both, plain.both),
    ):

        def read(cursor: str | None, of_table: Callable[..., EdgePage] = of_table) -> EdgePage:
            return of_table(a, types, branch, limit=limit, cursor=cursor)

        assert paged(read, limit) == of_plain(a, types, branch)
    assert _ids(lambda cursor: table.children(a, branch, limit=limit, cursor=cursor)) == [
        one.target_id for one in plain.outgoing(a, ("child",), branch)
    ]
    assert _ids(lambda cursor: table.parents(a, branch, limit=limit, cursor=cursor)) == [
        one.source_id for one in plain.incoming(a, ("child",), branch)
    ]
    directed = plain.between(a, b, types, branch)
    assert table.directed(a, b, types, branch) == directed
    assert table.has(a, b, types, branch) is bool(directed)
    both = sorted(
        directed + plain.between(b, a, types, branch),
        key=lambda one: (one.created_at, one.type, one.source_id),
    )
    assert table.undirected(a, b, types, branch) == table.undirected(b, a, types, branch) == both
    assert table.counts(branch) == plain.counts(branch)
    assert table.types(branch) == list(plain.counts(branch))
    for one in directed:
        assert table.edge(a, b, one.type, branch) == one
    await _same_walks(table, plain, random, types, branch)


async def _same_walks(
    table: GraphTable, plain: PlainGraph, random: Random, types: Collection[str], branch: str
) -> None:
    a, b = random.sample(IDS, 2)
    hops = plain.distances(a, types, branch).get(b)
    path = await table.path(a, b, types, branch)
    if hops is None:
        assert path is None
    else:
        assert path is not None
        assert (path[0], path[-1], len(path)) == (a, b, hops + 1)
        assert all(plain.between(*pair, types, branch) for pair in pairwise(path))
    before = plain.turned().distances(a, types, branch)
    graph = await table.ancestors(a, types, branch)
    assert set(graph.nodes) == set(before)
    assert [before[one] for one in graph.nodes] == sorted(before.values())
    assert sorted(graph.edges) == sorted(
        GraphEdge(one.source_id, one.target_id, one.type)
        for one in plain.kept(types, branch)
        if one.target_id in before
    )
    parents = random.sample(IDS, random.randrange(len(IDS)))
    limit, found, cursor = random.randrange(1, 4), list[str](), None
    while True:
        page = await table.orphans(parents, types, branch, limit=limit, cursor=cursor)
        found += page.ids
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.ids) == limit
    assert found == plain.orphans(parents, types, branch)


def _ids(read: Callable[[str | None], IdPage]) -> list[str]:
    page = read(None)
    found = list(page.ids)
    while page.next_cursor is not None:
        page = read(page.next_cursor)
        found += page.ids
    return found


# What is not an answer.


def test_a_record_of_no_edge_is_refused_or_told_and_left_out(table: GraphTable) -> None:
    good, other = edge("a", "b"), edge("a", "c")
    elsewhere = next(one for one in IDS if partition_of(one) != partition_of("a"))
    bad = {
        b"": None,
        b"a/main/child": None,
        b"a/main/child/b/c": good.encode(),
        b"\xff/main/child/b": None,
        good.key: b"{}",
        other.key: good.encode(),
        edge(elsewhere, "a").key: edge(elsewhere, "a").encode(),
    }
    partition = partition_of("a")
    for pair in bad.items():
        with pytest.raises(UndecodableRecordError):
            table.rows_for(partition, [pair])
    told: list[bytes] = []
    rows = table.rows_for(
        partition,
        [*bad.items(), (good.key, good.encode()), (POSITION_KEY, b"{}")],
        refused=lambda key, _: told.append(key),
    )
    table.store.write(rows, {}, now_ms=1)

    assert told == list(bad)
    assert table.outgoing("a", None, "main", limit=9).edges == [good]


def test_a_cursor_of_something_else_is_refused_by_name(table: GraphTable) -> None:
    write(table, edge("a", "b"), edge("a", "c"), edge("b", "c"))
    outgoing = table.outgoing("a", None, "main", limit=1).next_cursor
    both = table.both("b", None, "main", limit=1).next_cursor
    assert outgoing is not None
    assert both is not None

    for cursor in ("", "x", "é", both, outgoing[:-2]):
        with pytest.raises(InvalidInputError, match="cursor"):
            table.outgoing("a", None, "main", limit=1, cursor=cursor)
        with pytest.raises(InvalidInputError, match="cursor"):
            table.children("a", "main", limit=1, cursor=cursor)
    for cursor in ("", "x", outgoing):
        with pytest.raises(InvalidInputError, match="cursor"):
            table.both("a", None, "main", limit=1, cursor=cursor)
    with pytest.raises(InvalidInputError, match="cursor"):
        table.incoming("c", None, "main", limit=1, cursor=outgoing)


async def test_orphans_go_on_only_among_the_parents_that_the_cursor_is_of(
    table: GraphTable,
) -> None:
    write(table, edge("a", "b"), edge("a", "c"))
    page = await table.orphans(["a"], ("child",), "main", limit=1)
    assert (page.ids, page.next_cursor is None) == (["b"], False)

    with pytest.raises(InvalidInputError, match="cursor"):
        await table.orphans(["d0"], ("child",), "main", limit=1, cursor=page.next_cursor)


def test_an_edge_that_is_changed_keeps_its_place(table: GraphTable) -> None:
    write(table, edge("a", "b", at=1), edge("a", "c", at=2))
    changed = Edge(
        source_id="a",
        branch="main",
        type="child",
        target_id="b",
        metadata=[1],
        weight=2.5,
        created_at=moment(1),
        updated_at=moment(9),
    )
    write(table, changed)

    assert table.outgoing("a", None, "main", limit=9).edges == [changed, edge("a", "c", at=2)]
    assert table.counts("main") == {"child": 2}


def test_of_several_records_of_an_edge_in_a_batch_the_last_one_counts(table: GraphTable) -> None:
    write(table, edge("a", "b", at=1))
    again, other = edge("a", "b", at=7), edge("a", "c", at=3)
    batch = [
        (again.key, None),
        (other.key, other.encode()),
        (again.key, edge("a", "b", at=5).encode()),
        (other.key, None),
        (again.key, again.encode()),
    ]
    table.store.write(table.rows_for(partition_of("a"), batch), {}, now_ms=1)

    assert table.outgoing("a", None, "main", limit=9).edges == [again]
    assert table.incoming("b", ["child"], "main", limit=9).edges == [again]
    assert table.counts("main") == {"child": 1}


def test_a_partition_that_was_forgotten_by_half_says_so(table: GraphTable) -> None:
    write(table, edge("a", "b"), edge("a", "c"))
    partition = partition_of("a")
    rows = list(table.forget_rows(partition))
    table.store.write(rows[:4], {}, now_ms=1)
    assert table.half_forgotten() == [partition]

    table.store.write(list(table.forget_rows(partition)), {}, now_ms=1)

    assert table.half_forgotten() == []
    assert shown(table.store) == []


def test_an_erased_source_leaves_no_edge_and_where_its_edges_lay_is_known(
    table: GraphTable,
) -> None:
    write(table, edge("a", "b"), edge("a", "c", branch="main-2"), edge("a-b", "b"))
    rest = {key for key, _ in _rebuilt(PlainGraph([edge("a-b", "b")]))}
    lay = {key for key, _ in shown(table.store) if not key.startswith(b"n/")} - rest
    late = edge("a", "e")
    batch = [(late.key, late.encode()), (erased_key("a"), None), (edge("a", "b").key, None)]
    table.store.write(table.rows_for(partition_of("a"), batch), {}, now_ms=1)

    assert shown(table.store) == _rebuilt(PlainGraph([edge("a-b", "b")]))
    ((document_id, ranges),) = table.remains.some(9)
    assert document_id == "a"
    assert len(lay) == 10
    assert all(any(start <= key < end for start, end in ranges) for key in lay)


def test_where_very_many_edges_lay_is_told_in_few_ranges(table: GraphTable) -> None:
    batch = [(one.key, one.encode()) for one in (edge("a", f"d{at}") for at in range(200))]
    table.store.write(table.rows_for(partition_of("a"), batch), {}, now_ms=1)
    lay = {key for key, _ in table.store.scan(LEAST, GREATEST) if not key.startswith(b"n/")}
    table.store.write(table.rows_for(partition_of("a"), [(erased_key("a"), None)]), {}, now_ms=1)

    ((_, ranges),) = table.remains.some(9)
    assert len(ranges) == 5
    assert all(any(start <= key < end for start, end in ranges) for key in lay)


async def test_a_walk_that_meets_too_many_documents_ends_with_that(store: Store) -> None:
    table = graph_in(store, documents_max=10)
    write(table, *(edge(f"n{at}", f"n{at + 1}") for at in range(30)))

    for walk in (
        table.path("n0", "n29", None, "main"),
        table.path("n0", "nowhere", None, "main"),
        table.ancestors("n29", None, "main"),
    ):
        with pytest.raises(WalkTooLongError, match="n0|n29"):
            await walk
    assert len((await table.ancestors("n9", None, "main")).nodes) == 10
