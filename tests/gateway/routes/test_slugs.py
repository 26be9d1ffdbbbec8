"""Which documents slugs stand for, over HTTP."""

from __future__ import annotations

from typing import Any

from docreactor.gateway.reach import ANSWERED_BY, POSITION
from tests.gateway.deployment import Running, problem_of, several_nodes


async def slugs(running: Running, **parameters: Any) -> Any:
    reply = await running.http.get("/v1/slugs", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


def named(page: Any) -> list[tuple[str, str, list[str]]]:
    """Each slug, whose it is, and who else claims it."""
    return [
        (one["slug"], one["document_id"], [rival["document_id"] for rival in one["rivals"]])
        for one in page["slugs"]
    ]


async def test_slugs_are_resolved_in_the_order_asked(one: Running) -> None:
    await one.create("a", slug="home")
    await one.create("b", slug="docs/this, that.md")
    await one.create("c")

    page = await slugs(one, slugs=["docs/this, that.md", "nobody", "home", "c", "home"])

    assert named(page) == [("docs/this, that.md", "b", []), ("home", "a", [])]
    (_, home) = page["slugs"]
    header = (await one.http.get("/v1/documents/a")).json()["header"]
    assert home["claimed_at"] == header["slug_claimed_at"] == header["created_at"]
    assert home["branch"] == "main"


async def test_rivals_are_told_the_newest_first(one: Running) -> None:
    for document_id in ("a", "b", "c"):
        await one.create(document_id, slug="home")

    assert named(await slugs(one, slugs="home")) == [("home", "c", ["b", "a"])]
    await one.http.delete("/v1/documents/c", params={"wait": "read"})
    assert named(await slugs(one, slugs="home")) == [("home", "b", ["a"])]


async def test_a_slug_is_one_branchs(one: Running) -> None:
    await one.create("a", slug="home")
    await one.create("b", slug="home", branch="draft")

    assert named(await slugs(one, slugs="home")) == [("home", "a", [])]
    assert named(await slugs(one, slugs="home", branch="draft")) == [("home", "b", [])]


async def test_all_slugs_are_listed_and_those_that_are_contested(one: Running) -> None:
    for number in range(5):
        await one.create(f"a{number}", slug=f"slug-{number}")
    for number in (1, 3):
        await one.create(f"b{number}", slug=f"slug-{number}")

    listed = [entry[0] for entry in named(await slugs(one))]
    assert listed == [f"slug-{number}" for number in range(5)]
    assert named(await slugs(one, contested="true")) == [
        ("slug-1", "b1", ["a1"]),
        ("slug-3", "b3", ["a3"]),
    ]
    named_too = await slugs(one, contested="true", slugs="slug-0,slug-3")
    assert named(named_too) == [("slug-3", "b3", ["a3"])]


async def test_slugs_are_listed_page_by_page() -> None:
    async with several_nodes(2) as (first, second):
        for number in range(7):
            await first.create(f"a{number}", slug=f"slug-{number}")
        for number in (2, 4, 5):
            await first.create(f"b{number}", slug=f"slug-{number}")
        every = await _every_page(second, limit=3)
        contested = await _every_page(second, limit=1, contested="true")
        asked = await _every_page(second, limit=2, slugs=["slug-4", "slug-2", "slug-0"])

    assert every == [f"slug-{number}" for number in range(7)]
    assert contested == ["slug-2", "slug-4", "slug-5"]
    assert asked == ["slug-4", "slug-2", "slug-0"]


async def _every_page(running: Running, limit: int, **parameters: Any) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await slugs(running, limit=limit, **parameters, **cursor)
        assert len(page["slugs"]) <= limit
        found += [one["slug"] for one in page["slugs"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def test_claims_in_different_partitions_are_one_slugs() -> None:
    async with several_nodes(2) as (first, second):
        claimants = [f"d{number}" for number in range(6)]
        tokens = [(await first.create(one, slug="home"))["token"] for one in claimants]
        reply = await second.http.get("/v1/slugs", params={"slugs": "home", "token": tokens})

    newest, *others = reversed(claimants)
    assert named(reply.json()) == [("home", newest, others)]
    assert reply.headers[ANSWERED_BY] == "gathered"
    assert reply.headers[POSITION]


async def test_a_cursor_of_another_list_is_refused(one: Running) -> None:
    for asked in ({"cursor": "cDE"}, {"slugs": "a", "cursor": "c2E"}):
        reply = await one.http.get("/v1/slugs", params=asked)
        assert problem_of(reply) == (422, "InvalidInput")
        assert reply.json()["field"] == "cursor"
