"""Documents over HTTP by ids, by slugs, of a type."""

from __future__ import annotations

from typing import Any

from docreactor.gateway.reach import ANSWERED_BY, POSITION
from docreactor.pipeline.position import Position
from tests.gateway.deployment import TODO_TYPE, Running, problem_of, several_nodes


def ids_of(page: Any) -> list[str]:
    return [document["header"]["id"] for document in page["documents"]]


async def find(running: Running, **parameters: Any) -> Any:
    reply = await running.http.get("/v1/documents", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_documents_are_found_by_ids_in_the_order_asked(one: Running) -> None:
    for document_id in ("a", "b", "c"):
        await one.create(document_id)

    page = await find(one, ids="c,nobody,a,c")

    assert ids_of(page) == ["c", "a"]
    assert page["next_cursor"] is None
    assert page["documents"][0]["state"]["global"] == {"items": [], "completed": []}


async def test_a_list_may_be_repeated_instead_of_separated(one: Running) -> None:
    await one.create("a")
    await one.create("b")

    assert ids_of(await find(one, ids=["b", "a"])) == ["b", "a"]


async def test_documents_are_found_by_slugs(one: Running) -> None:
    await one.create("a", slug="docs/readme.md")
    await one.create("b", slug="docs/usage.md")

    assert ids_of(await find(one, slugs=["docs/usage.md", "docs/readme.md"])) == ["b", "a"]


async def test_a_slug_with_a_comma_is_found_whole(one: Running) -> None:
    await one.create("a", slug="docs/this, that.md")

    assert ids_of(await find(one, slugs="docs/this, that.md")) == ["a"]


async def test_a_slug_stands_for_its_newest_claimant(one: Running) -> None:
    await one.create("a", slug="same")
    await one.create("b", slug="same")

    assert ids_of(await find(one, slugs="same")) == ["b"]


async def test_a_deleted_document_is_not_found_and_gives_its_slug_back(one: Running) -> None:
    await one.create("a", slug="same")
    await one.create("b", slug="same")
    await one.http.delete("/v1/documents/b", params={"wait": "read"})

    assert ids_of(await find(one, slugs="same")) == ["a"]
    assert ids_of(await find(one, ids="b")) == []
    assert ids_of(await find(one, type=TODO_TYPE)) == ["a"]


async def test_a_type_is_listed_page_by_page_over_all_partitions(one: Running) -> None:
    created = [f"d{number}" for number in range(9)]
    for document_id in created:
        await one.create(document_id)

    found: list[str] = []
    cursor: str | None = None
    for _ in range(len(created)):
        parameters = {"type": TODO_TYPE, "limit": 4} | ({"cursor": cursor} if cursor else {})
        page = await find(one, **parameters)
        assert len(page["documents"]) <= 4
        found += ids_of(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == created


async def test_names_are_listed_page_by_page(one: Running) -> None:
    for document_id in ("a", "b", "c"):
        await one.create(document_id)

    first = await find(one, ids="c,b,a", limit=2)
    second = await find(one, ids="c,b,a", limit=2, cursor=first["next_cursor"])

    assert (ids_of(first), ids_of(second)) == (["c", "b"], ["a"])
    assert second["next_cursor"] is None


async def test_a_type_beside_ids_narrows_them(one: Running) -> None:
    await one.create("a")
    await one.http.post(
        "/v1/documents?wait=read", json={"document_type": "example/text", "id": "b"}
    )

    assert ids_of(await find(one, ids="a,b", type="example/text")) == ["b"]


async def test_a_query_that_names_nothing_or_both_is_refused(one: Running) -> None:
    for parameters in ({}, {"ids": "a", "slugs": "a"}, {"ids": "a b"}, {"parent": "a b"}):
        reply = await one.http.get("/v1/documents", params=parameters)
        assert problem_of(reply) == (422, "InvalidInput")


async def test_a_cursor_of_another_list_is_refused(one: Running) -> None:
    for cursor in ("!", "cDE", ""):
        parameters = {"type": TODO_TYPE, "cursor": cursor}
        reply = await one.http.get("/v1/documents", params=parameters)
        assert problem_of(reply) == (422, "InvalidInput")
        assert reply.json()["field"] == "cursor"


async def test_every_owner_is_asked_and_the_reply_says_how_far_each_was() -> None:
    async with several_nodes(2) as (first, second):
        created = [f"d{number}" for number in range(8)]
        tokens = [(await first.create(one, slug=f"s{one}"))["token"] for one in created]
        parameters: dict[str, Any] = {"type": TODO_TYPE, "limit": 5, "token": tokens}
        reply = await second.http.get("/v1/documents", params=parameters)
        rest = await find(second, type=TODO_TYPE, limit=5, cursor=reply.json()["next_cursor"])
        by_slug = await find(second, slugs=[f"s{one}" for one in created])

    assert reply.headers[ANSWERED_BY] == "gathered"
    assert ids_of(reply.json()) + ids_of(rest) == created
    assert rest["next_cursor"] is None
    assert ids_of(by_slug) == created
    log_id = first.node.log_id
    reached = Position.parse(reply.headers[POSITION], log_id=log_id)
    for token in tokens:
        assert reached.reached(Position.parse(token, log_id=log_id))
