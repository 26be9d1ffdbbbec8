"""One page of documents, read of each partition and joined."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from docreactor.agents.live import LivePartition
from docreactor.gateway import turns
from docreactor.gateway.page import IdsPage, SlugsPage, TypePage, page_of
from docreactor.gateway.reach import Gathered, Item
from docreactor.gateway.read_queries import FindQuery
from docreactor.gateway.shown import Excerpt
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.position import Position
from docreactor.tables.criteria import Criteria, Life, Order, Place, place_cursor
from tests.gateway.deployment import TODO_TYPE, Running, one_node
from tests.support.nodes import LOG_ID

TIME = "2026-11-21T00:00:00.00000{}Z"


def item(document_id: str, second: int = 0, slug: str | None = None, kind: str = "t") -> Item:
    header: dict[str, Any] = {
        "id": document_id,
        "document_type": kind,
        "slug": slug or document_id,
        "slug_claimed_at": TIME.format(second),
        "last_modified_at": TIME.format(second),
    }
    return {"header": header}


def gathered(*items: Item, more: bool = False) -> Gathered:
    return Gathered(list(items), more, Position(LOG_ID, {}), "local")


def ids_of(found: tuple[list[Item], str | None]) -> list[str]:
    return [one["header"]["id"] for one in found[0]]


def query(**asked: Any) -> FindQuery:
    return FindQuery.model_validate(asked)


def test_ids_come_before_a_type_and_each_once() -> None:
    page = page_of(query(ids=["b", "a", "b"], type="t"))

    assert page == IdsPage(("b", "a"), Excerpt(), "t", None)


def test_a_page_of_names_is_a_stretch_of_them() -> None:
    first = page_of(query(slugs=["c", "b", "a"], limit=2))
    assert first == SlugsPage(("c", "b"), Excerpt(), None, place_cursor(2))
    rest = page_of(query(slugs=["c", "b", "a"], limit=2, cursor=place_cursor(2)))
    assert rest == SlugsPage(("a",), Excerpt(), None, None)


def test_a_page_of_a_type_has_its_order_and_its_place() -> None:
    page = page_of(query(type="t", order="updated", include_deleted="true", branch="draft"))

    criteria = Criteria("t", "draft", Life.EITHER, Order.NEWEST)
    assert page == TypePage(criteria, Excerpt("draft", life=Life.EITHER), 100, None)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "query"),
        ({"ids": ["a"], "slugs": ["b"]}, "slugs"),
        ({"ids": ["a/b"]}, "ids"),
        ({"ids": ["a"], "order": "updated"}, "order"),
        ({"ids": ["a"], "cursor": "x"}, "cursor"),
        ({"type": "t", "cursor": place_cursor(1)}, "cursor"),
        ({"type": "t", "branch": "a/b"}, "branch"),
        ({"type": "t", "scopes": ["a/b"]}, "scopes"),
        ({"type": "t", "scopes": ["a"], "header_only": "true"}, "scopes"),
    ],
)
def test_a_query_that_cannot_be_is_refused(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        page_of(query(**asked))

    assert refusal.value.facts["field"] == field


@pytest.mark.parametrize(
    "asked",
    [
        {"ids": ["b", "a"], "type": "t", "header_only": "true"},
        {"slugs": ["x,y", "z"], "scopes": ["local", "global"], "include_deleted": "true"},
        {"type": "t", "order": "-updated", "deleted": "true", "branch": "draft"},
        {"type": "t", "order": "updated", "cursor": "bjIwMjYtMTEtMjFUMDA6MDA6MDAuMDAwMDAwWmE"},
    ],
)
def test_another_node_reads_the_same_page_out_of_its_parameters(asked: dict[str, Any]) -> None:
    page = page_of(query(**asked))
    asked_there: dict[str, Any] = {}
    for name, value in page.parameters:
        several = asked_there.setdefault(name, [])
        several.append(value)
    single = {"type", "order", "cursor", "branch", "limit", "header_only", "deleted"}
    single.add("include_deleted")
    there = page_of(
        query(
            **{name: value[0] if name in single else value for name, value in asked_there.items()}
        )
    )

    assert there.parameters == page.parameters
    assert there.excerpt == page.excerpt


def test_documents_by_id_come_in_the_order_asked() -> None:
    page = IdsPage(("b", "x", "a"), Excerpt(), None, None)

    assert ids_of(page.joined(gathered(item("a"), item("b")))) == ["b", "a"]


def test_a_slug_is_its_newest_claimants_whatever_its_type() -> None:
    rivals = gathered(item("b", 1, "home", "t"), item("a", 2, "home", "u"), item("c", 1, "at"))

    every = SlugsPage(("at", "home"), Excerpt(), None, None)
    assert ids_of(every.joined(rivals)) == ["c", "a"]
    narrowed = SlugsPage(("at", "home"), Excerpt(), "t", None)
    assert ids_of(narrowed.joined(rivals)) == ["c"]


def test_a_page_of_a_type_is_cut_where_the_next_one_begins() -> None:
    items = [item("a", 3), item("b", 1), item("c", 2)]
    expected = {
        Order.ID: (["a", "b"], Place("b", "")),
        Order.NEWEST: (["a", "c"], Place("c", TIME.format(2))),
        Order.OLDEST: (["b", "c"], Place("c", TIME.format(2))),
    }
    for order, (ids, place) in expected.items():
        page = TypePage(Criteria("t", order=order), Excerpt(), 2, None)
        found, next_cursor = page.joined(gathered(*items))
        assert ids_of((found, None)) == ids
        following = page_of(query(type="t", order=order.value, cursor=next_cursor))
        assert isinstance(following, TypePage)
        assert following.after == place
    whole = TypePage(Criteria("t"), Excerpt(), 3, None)
    assert whole.joined(gathered(*items))[1] is None
    assert whole.joined(gathered(*items, more=True))[1] is not None


async def test_a_page_is_whole_however_often_the_loop_gets_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "STRETCH_S", 0)
    async with one_node(partitions=1) as one:
        live = await _filled(one, 7)
        for order in Order:
            criteria = Criteria(TODO_TYPE, order=order)
            part = await TypePage(criteria, Excerpt(), 5, None).read(one.node, [live])
            ids = [f"d{number}" for number in range(7)]
            if order is Order.NEWEST:
                ids.reverse()
            assert [one["header"]["id"] for one in part.items] == ids[:5]
            assert part.more
            whole = await TypePage(criteria, Excerpt(), 7, None).read(one.node, [live])
            assert ([one["header"]["id"] for one in whole.items], whole.more) == (ids, False)
        names = tuple(f"d{number}" for number in range(7))
        by_id = await IdsPage(names, Excerpt(), None, None).read(one.node, [live])
        slugs = tuple(f"slug-{number}" for number in range(7))
        by_slug = await SlugsPage(slugs, Excerpt(), None, None).read(one.node, [live])

    assert [one["header"]["id"] for one in by_id.items] == list(names)
    assert [one["header"]["id"] for one in by_slug.items] == list(names)


async def test_whoever_is_cancelled_reads_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "STRETCH_S", 0)
    async with one_node(partitions=1) as one:
        live = await _filled(one, 4)
        for page in (
            TypePage(Criteria(TODO_TYPE), Excerpt(), 5, None),
            IdsPage(("d0", "d1", "d2"), Excerpt(), None, None),
            SlugsPage(("slug-0", "slug-1", "slug-2"), Excerpt(), None, None),
        ):
            reading = asyncio.ensure_future(page.read(one.node, [live]))
            await asyncio.sleep(0)
            assert not reading.done()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading


async def _filled(one: Running, count: int) -> LivePartition:
    for number in range(count):
        await one.create(f"d{number}", slug=f"slug-{number}")
    live = one.node.local(0)
    assert live is not None
    return live


async def test_a_page_of_several_partitions_is_read_as_one() -> None:
    async with one_node(partitions=4) as one:
        for number in range(9):
            await one.create(f"d{number}", slug="home")
        await one.add("d0", "Milk")
        lives = [live for live in map(one.node.local, range(4)) if live is not None]
        newest = Criteria(TODO_TYPE, order=Order.NEWEST)
        part = await TypePage(newest, Excerpt(), 3, None).read(one.node, lives)
        slug = await SlugsPage(("home",), Excerpt(), None, None).read(one.node, lives)

    assert len(lives) == 4
    assert [one["header"]["id"] for one in part.items] == ["d0", "d8", "d7"]
    assert part.more
    assert set(part.position.next_offsets) == {0, 1, 2, 3}
    assert [one["header"]["id"] for one in slug.items] == ["d8"]
