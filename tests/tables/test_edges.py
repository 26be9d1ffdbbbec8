"""The owner's table of edges shows what was staged, and forgets what was erased."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from docreactor.pipeline.edge import POSITION_KEY, Change, Edge, EdgeKey, Edges, changes
from docreactor.pipeline.erased import erased_key
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.tables import edges as module
from docreactor.tables.edges import EdgesStage, EdgesTable
from docreactor.tables.memory import MemoryStore
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import Store, StoreIdentity
from tests.support.seeds import Seeds
from tests.tables.contract import GREATEST, LEAST, rows_of
from tests.tables.edge_oracle import BRANCHES, IDS, TYPES, edge, moment

ADD, UPDATE, REMOVE = "ADD_RELATIONSHIP", "UPDATE_RELATIONSHIP", "REMOVE_RELATIONSHIP"


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else RocksStore.open(tmp_path)
    with closing(made):
        made.begin(StoreIdentity("a" * 32, 1))
        yield made


@pytest.fixture
def table(store: Store) -> EdgesTable:
    return EdgesTable(store)


def said(
    action_type: str, source_id: str, target_id: str, edge_type: str = "child", at: int = 0
) -> Operation:
    """An operation about an edge."""
    given: dict[str, Any] = {
        "source_id": source_id,
        "target_id": target_id,
        "relationship_type": edge_type,
    }
    action = StoredAction(f"x{at}", action_type, "document", moment(at), given)
    return Operation("0" * 32, "t/x", at, 0, moment(at), "", None, None, action)


def write(stage: EdgesStage) -> list[Change]:
    """Write a batch; what it would publish."""
    found = list(stage.changes())
    stage._table.store.write(list(stage.rows()), {}, now_ms=1)
    return found


def hold(table: EdgesTable, *edges: Edge) -> None:
    """Have the table hold edges."""
    stage = table.stage()
    stage.put(Change(one.name, one, "added") for one in edges)
    write(stage)


def shown(table: EdgesTable) -> list[Edge]:
    return [
        one
        for source_id in sorted(IDS)
        for branch in BRANCHES
        for one in table.of(source_id, branch)
    ]


# One batch.


def test_a_batch_shows_what_is_stored_and_what_was_staged_over_it(table: EdgesTable) -> None:
    hold(table, edge("a", "b"), edge("a", "c"), edge("a", "b", branch="main-2"), edge("a-b", "c"))
    stage = table.stage()
    stage.apply(said(REMOVE, "a", "b", at=5), "main")
    stage.apply(said(ADD, "a", "d0", at=6), "main")
    stage.apply(said(UPDATE, "a", "c", at=7), "main")

    assert [one.target_id for one in stage.of("a", "main")] == ["c", "d0"]
    assert stage.edge(EdgeKey("a", "main", "child", "b")) is None
    assert stage.edge(EdgeKey("a", "main", "child", "d0")) == edge("a", "d0", at=6)
    assert stage.of("a", "main-2") == [edge("a", "b", branch="main-2")]
    assert [one.target_id for one in table.of("a", "main")] == ["b", "c"]
    assert [(change.key.target_id, change.kind) for change in write(stage)] == [
        ("b", "removed"),
        ("c", "updated"),
        ("d0", "added"),
    ]
    assert [one.target_id for one in table.of("a", "main")] == ["c", "d0"]
    assert table.edge(EdgeKey("a", "main", "child", "b")) is None


def test_a_stage_that_is_dropped_leaves_no_trace(table: EdgesTable) -> None:
    stage = table.stage()
    stage.apply(said(ADD, "a", "b"), "main")
    stage.quarantine("a", {"title": "X"})
    assert len(list(stage.changes())) == 1
    assert len(list(stage.rows())) == 2

    assert rows_of(table.store) == []


def test_what_comes_and_goes_within_a_batch_is_no_change(table: EdgesTable) -> None:
    hold(table, edge("a", "b", at=1))
    stage = table.stage()
    stage.apply(said(ADD, "a", "c", at=2), "main")
    stage.apply(said(REMOVE, "a", "c", at=3), "main")
    stage.apply(said(ADD, "a", "b", at=4), "main")
    assert list(stage.changes()) == []

    stage.apply(said(REMOVE, "a", "b", at=5), "main")
    stage.apply(said(ADD, "a", "b", at=6), "main")
    assert list(stage.changes()) == [Change(edge("a", "b").name, edge("a", "b", at=6), "updated")]


async def test_a_document_gets_just_the_edges_of_a_new_fold(table: EdgesTable) -> None:
    kept, gone, other = edge("a", "b"), edge("a", "c"), edge("a", "c", branch="main-2")
    hold(table, kept, gone, other)
    new, moved = edge("a", "e", at=3), edge("a", "c", "cites", at=4)
    stage = table.stage()
    stage.apply(said(ADD, "a", "never", at=2), "main")
    await stage.replace("a", "main", {one.name: one for one in (kept, new, moved)})

    assert stage.of("a", "main") == sorted([kept, new, moved], key=lambda one: one.name)
    assert write(stage) == changes(
        {one.name: one for one in (kept, gone)}, {one.name: one for one in (kept, new, moved)}
    )
    assert table.of("a", "main-2") == [other]


async def test_the_loop_goes_on_while_a_large_document_is_folded_anew(
    table: EdgesTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STRETCH_S", 0.0)
    hold(table, *(edge("a", f"d{at}") for at in range(50)))
    stage = table.stage()
    task = asyncio.create_task(stage.replace("a", "main", {}))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns >= 50
    assert len(list(stage.changes())) == 50


# Documents as a whole.


def test_the_documents_that_have_edges_are_told_in_the_order_of_their_keys(
    table: EdgesTable,
) -> None:
    hold(table, *(edge(one, "x") for one in ("b", "a", "a-b", "a.c")), edge("a", "y"))

    assert table.sources_after("", 9) == ["a-b", "a.c", "a", "b"]
    assert table.sources_after("a-b", 2) == ["a.c", "a"]
    assert table.sources_after("b", 9) == []


def test_the_branches_on_which_a_document_has_edges_are_told_once(table: EdgesTable) -> None:
    on = [edge("a", target, branch=one) for one in ("main", "main-2") for target in "xy"]
    hold(table, *on, edge("a-b", "x", branch="never"))

    assert list(table.branches("a")) == ["main-2", "main"]
    assert list(table.branches("b")) == []


def test_an_erased_document_leaves_nothing_but_where_its_rows_lay(table: EdgesTable) -> None:
    hold(table, edge("a", "b"), edge("a", "c", branch="main-2"), edge("a-b", "c"), edge("b", "a"))
    aside = table.stage()
    aside.quarantine("a", {"title": "X"})
    write(aside)
    lay = [key for key, _ in rows_of(table.store) if b"/a/" in key or key.endswith(b"/a")]
    lay.remove(b"e/b/main/child/a")
    stage = table.stage()
    stage.look_up(["a"])
    stage.apply(said(ADD, "a", "e"), "main")
    stage.erase("a")

    assert stage.of("a", "main") == []
    assert stage.edge(edge("a", "b").name) is None
    assert not stage.is_quarantined("a")
    assert [(change.key.branch, change.kind) for change in stage.changes()] == [
        ("main-2", "removed"),
        ("main", "removed"),
    ]
    write(stage)
    assert shown(table) == [edge("a-b", "c"), edge("b", "a")]
    assert table.quarantine_of("a") is None
    ((document_id, ranges),) = table.remains.some(9)
    assert document_id == "a"
    assert len(lay) == 3
    assert all(any(start <= key < end for start, end in ranges) for key in lay)


async def test_a_document_that_was_erased_in_the_batch_starts_from_nothing(
    table: EdgesTable,
) -> None:
    hold(table, edge("a", "b"), edge("a", "c"))
    stage = table.stage()
    stage.erase("a")
    await stage.replace("a", "main", {edge("a", "b").name: edge("a", "b")})

    assert [(change.key.target_id, change.kind) for change in write(stage)] == [
        ("c", "removed"),
        ("b", "added"),
    ]
    assert shown(table) == [edge("a", "b")]


def test_a_quarantine_lasts_until_the_document_is_taken_back(table: EdgesTable) -> None:
    stage = table.stage()
    stage.quarantine("a", {"title": "X"})
    stage.quarantine("b", {"title": "Y"})
    assert stage.is_quarantined("a")
    write(stage)
    assert list(table.quarantined()) == [("a", {"title": "X"}), ("b", {"title": "Y"})]

    stage = table.stage()
    stage.look_up(["a", "b", "c"])
    assert [stage.is_quarantined(one) for one in "abc"] == [True, True, False]
    stage.release("a")
    assert not stage.is_quarantined("a")
    write(stage)

    assert list(table.quarantined()) == [("b", {"title": "Y"})]
    assert table.quarantine_of("b") == {"title": "Y"}


def test_a_document_that_fails_again_after_it_was_taken_back_stays_aside(
    table: EdgesTable,
) -> None:
    stage = table.stage()
    stage.quarantine("a", {"title": "X"})
    write(stage)
    stage = table.stage()
    stage.look_up(["a"])
    stage.release("a")
    stage.quarantine("a", {"title": "Z"})
    write(stage)

    assert list(table.quarantined()) == [("a", {"title": "Z"})]


def test_the_branches_and_the_documents_that_have_edges_are_found(table: EdgesTable) -> None:
    hold(table, edge("a", "b", branch="main-2"), edge("a", "b"), edge("a", "c"))
    hold(table, edge("a-b", "b"), edge("b", "c"), edge("a.b", "c"))

    assert sorted(table.branches("a")) == ["main", "main-2"]
    assert list(table.branches("c")) == []
    assert {key.target_id for key in table.keys("a")} == {"b", "c"}
    found: list[str] = []
    while some := table.sources_after(found[-1] if found else "", 2):
        found += some
    assert sorted(found) == ["a", "a-b", "a.b", "b"]


# From the topic.


def test_records_of_the_topic_give_back_the_rows_that_were_published(table: EdgesTable) -> None:
    kept, gone = edge("a", "b", metadata={"n": 1}), edge("a", "c")
    records = [
        (gone.key, gone.encode()),
        (POSITION_KEY, b'{"operations":3}'),
        (kept.key, kept.encode()),
        (gone.key, None),
    ]
    table.store.write(table.restored(records), {}, now_ms=1)

    other = EdgesTable(MemoryStore())
    hold(other, kept)
    assert rows_of(table.store) == rows_of(other.store)


def test_an_erasure_in_the_topic_leaves_nothing_of_what_came_before_it(table: EdgesTable) -> None:
    hold(table, edge("a", "b"), edge("a-b", "c"))
    late = edge("a", "c")
    records = [(late.key, late.encode()), (erased_key("a"), None), (edge("a", "b").key, None)]
    table.store.write(table.restored(records), {}, now_ms=1)

    assert shown(table) == [edge("a-b", "c")]
    assert [document_id for document_id, _ in table.remains.some(9)] == ["a"]


@pytest.mark.parametrize("key", [b"", b"a/b", b"a/main/child", b"a/b/c/d/e"])
def test_a_record_of_something_else_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="no key of an edge"):
        EdgesTable(MemoryStore()).restored([(key, b"{}")])


# Random histories.


@pytest.mark.seeds(20, each=10)
async def test_random_batches_keep_what_the_fold_of_each_history_gives(
    store: Store, seeds: Seeds
) -> None:
    for seed in seeds:
        with seeds.told(seed):
            await _keeps_the_fold(store, Random(seed))


@pytest.mark.nightly
@pytest.mark.seeds(2_000, each=200)
async def test_many_random_batches_keep_what_the_fold_of_each_history_gives(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            await _keeps_the_fold(MemoryStore(), Random(seed))


async def _keeps_the_fold(store: Store, random: Random) -> None:
    store.begin(StoreIdentity("a" * 32, 1))
    table, copy = EdgesTable(store), EdgesTable(MemoryStore())
    histories: dict[tuple[str, str], list[Operation]] = {}
    for _ in range(random.randrange(1, 12)):
        stage = table.stage()
        for _ in range(random.randrange(10)):
            place = random.choice(IDS[:4]), random.choice(BRANCHES)
            history = histories.setdefault(place, [])
            if random.random() < 0.05:
                stage.erase(place[0])
                for branch in BRANCHES:
                    histories[place[0], branch] = []
            elif random.random() < 0.15:
                # What a reshuffle does: some of it counts no more.
                histories[place] = [one for one in history if random.random() < 0.7]
                await stage.replace(*place, _fold(place[1], histories[place]).current)
            else:
                history.append(_drawn(random, place[0]))
                stage.apply(history[-1], place[1])
        erased = sorted(stage.erased)
        published = write(stage)
        records = [(erased_key(one), None) for one in erased] + [
            (key.encode(), None if found is None else found.encode()) for key, found, _ in published
        ]
        copy.store.write(copy.restored(records), {}, now_ms=1)
    expected = [_fold(branch, history) for (_, branch), history in histories.items()]
    found = {one.name: one for one in shown(table)}
    assert found == {name: one for fold in expected for name, one in fold.current.items()}
    assert list(table.store.scan(LEAST, GREATEST)) == rows_of(copy.store)


def _fold(branch: str, history: list[Operation]) -> Edges:
    edges = Edges(branch=branch)
    for operation in history:
        edges.apply(operation)
    return edges


def _drawn(random: Random, source_id: str) -> Operation:
    return said(
        random.choice((ADD, ADD, UPDATE, REMOVE)),
        source_id,
        random.choice([one for one in IDS[:5] if one != source_id]),
        random.choice(TYPES[:2]),
        random.randrange(100),
    )
