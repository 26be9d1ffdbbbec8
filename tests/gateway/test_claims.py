"""Who claims slugs, joined of what each partition knows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from docreactor.gateway import turns
from docreactor.gateway.claims import Claims
from docreactor.gateway.demand import Demand
from docreactor.gateway.reach import Gathered, Item, Reach
from docreactor.gateway.read_queries import SlugsQuery
from docreactor.gateway.requests import LIMIT_MAX, ReadQuery
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.position import Position
from docreactor.tables.criteria import place_cursor, slug_cursor
from tests.gateway.deployment import Running
from tests.support.nodes import LOG_ID

TIME = "2026-11-21T00:00:00.00000{}Z"


def claim(document_id: str, second: int) -> Item:
    return {"document_id": document_id, "claimed_at": TIME.format(second)}


def known(slug: str, *claims: Item) -> Item:
    """What one partition knows of a slug, its newest claim first."""
    return {"slug": slug, "branch": "main", **claims[0], "rivals": list(claims[1:])}


def gathered(*items: Item, more: bool = False) -> Gathered:
    return Gathered(list(items), more, Position(LOG_ID, {}), "local")


def claims_of(**asked: Any) -> Claims:
    return Claims.of(SlugsQuery.model_validate(asked))


def test_the_newest_claim_of_all_partitions_stands() -> None:
    there = gathered(
        known("home", claim("a", 3), claim("b", 1)), known("home", claim("c", 4), claim("d", 2))
    )

    found, next_cursor = claims_of(slugs=["home", "nobody"]).joined(there)

    assert found == [known("home", claim("c", 4), claim("a", 3), claim("d", 2), claim("b", 1))]
    assert next_cursor is None


def test_of_two_claims_of_one_instant_the_greater_document_id_stands() -> None:
    there = gathered(known("home", claim("b", 1)), known("home", claim("a", 1)))

    assert claims_of(slugs=["home"]).joined(there)[0] == [
        known("home", claim("b", 1), claim("a", 1))
    ]


def test_named_slugs_come_in_the_order_asked_page_by_page() -> None:
    there = gathered(*(known(slug, claim(slug, 1)) for slug in ("a", "b", "c")))

    first = claims_of(slugs=["c", "a", "b"], limit=2)
    assert [one["slug"] for one in first.joined(there)[0]] == ["c", "a"]
    assert first.joined(there)[1] == place_cursor(2)
    rest = claims_of(slugs=["c", "a", "b"], limit=2, cursor=place_cursor(2))
    assert [one["slug"] for one in rest.joined(there)[0]] == ["b"]


def test_a_list_is_cut_where_the_next_page_begins() -> None:
    there = gathered(*(known(slug, claim("a", 1)) for slug in ("longer", "b", "a")))

    found, next_cursor = claims_of(limit=2).joined(there)
    assert ([one["slug"] for one in found], next_cursor) == (["a", "b"], slug_cursor("b"))
    assert claims_of(limit=3).joined(there)[1] is None
    more = claims_of(limit=3).joined(gathered(*there.items, more=True))
    assert more[1] == slug_cursor("longer")


def test_a_page_of_contested_slugs_leads_on_although_it_is_not_full() -> None:
    alone = [known(f"s{number:04}", claim("a", 1)) for number in range(LIMIT_MAX)]

    asked = claims_of(contested="true", limit=2)
    found, next_cursor = asked.joined(gathered(*alone, more=True))
    assert (found, next_cursor) == ([], slug_cursor(f"s{LIMIT_MAX - 1:04}"))
    rivals = [known(slug, claim("a", 2), claim("b", 1)) for slug in ("x", "y", "z")]
    found, next_cursor = asked.joined(gathered(*rivals))
    assert ([one["slug"] for one in found], next_cursor) == (["x", "y"], slug_cursor("y"))


def test_what_cannot_be_is_refused() -> None:
    for asked in ({"branch": "a/b"}, {"cursor": "!"}, {"slugs": ["a"], "cursor": slug_cursor("a")}):
        with pytest.raises(InvalidInputError):
            claims_of(**asked)


async def test_they_are_gathered_at_every_turn_of_the_loop(
    one: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "STRETCH_S", 0)
    for number in range(3):
        await one.create(f"a{number}", slug=f"slug-{number}")
    reach = Reach(one.node)

    async def never() -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": b"/v1/slugs",
        "query_string": b"",
        "headers": [],
    }
    asked = claims_of()
    demand = Demand.of(ReadQuery(), LOG_ID)
    found, _ = asked.joined(await asked.gather(reach, Request(scope, never), demand))
    await reach.close()

    assert [one["slug"] for one in found] == ["slug-0", "slug-1", "slug-2"]
