"""Documents over HTTP by ids, by slugs, of a type."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from docreactor.gateway.reach import ANSWERED_BY, POSITION
from docreactor.pipeline.errors import HashMismatchError
from docreactor.pipeline.position import Position
from docreactor.pipeline.problem import problem
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


async def every_page(running: Running, **parameters: Any) -> list[str]:
    """The ids on all pages, two documents each."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await find(running, **parameters | {"limit": 2} | cursor)
        found += ids_of(page)
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def relate(running: Running, parent: str, *children: str) -> str:
    """Children of a document that reads show; the token."""
    reply = await running.http.post(
        f"/v1/documents/{parent}/children?wait=read", json={"ids": list(children)}
    )
    assert reply.status_code == 200, reply.text
    token: str = reply.json()["token"]
    return token


async def test_a_type_is_listed_by_its_last_changes(one: Running) -> None:
    for document_id in ("a", "b", "c", "d", "e"):
        await one.create(document_id)
    await one.add("b", "Milk")

    assert await every_page(one, type=TODO_TYPE, order="updated") == ["b", "e", "d", "c", "a"]
    assert await every_page(one, type=TODO_TYPE, order="-updated") == ["a", "c", "d", "e", "b"]


async def test_what_is_changed_while_the_oldest_are_paged_comes_again_and_nothing_is_missed(
    one: Running,
) -> None:
    for document_id in ("a", "b", "c", "d"):
        await one.create(document_id)
    first = await find(one, type=TODO_TYPE, order="-updated", limit=2)
    await one.add("a", "Milk")
    await one.add("c", "Milk")
    cursor = first["next_cursor"]
    rest = await every_page(one, type=TODO_TYPE, order="-updated", cursor=cursor)

    assert ids_of(first) == ["a", "b"]
    assert rest == ["d", "a", "c"]


async def test_what_is_changed_while_the_newest_are_paged_moves_to_the_front(one: Running) -> None:
    for document_id in ("a", "b", "c", "d"):
        await one.create(document_id)
    first = await find(one, type=TODO_TYPE, order="updated", limit=2)
    await one.add("a", "Milk")
    cursor = first["next_cursor"]
    rest = await every_page(one, type=TODO_TYPE, order="updated", cursor=cursor)

    assert ids_of(first) == ["d", "c"]
    assert rest == ["b"]
    assert ids_of(await find(one, type=TODO_TYPE, order="updated", limit=1)) == ["a"]


async def test_an_order_is_that_of_a_types_list(one: Running) -> None:
    for asked in ({"ids": "a"}, {"slugs": "a"}, {"parent": "a"}):
        reply = await one.http.get("/v1/documents", params={**asked, "order": "updated"})
        assert problem_of(reply) == (422, "InvalidInput")
        assert reply.json()["field"] == "order"


async def test_a_cursor_of_another_order_is_refused(one: Running) -> None:
    for document_id in ("a", "b"):
        await one.create(document_id)
    cursor = (await find(one, type=TODO_TYPE, limit=1))["next_cursor"]

    parameters = {"type": TODO_TYPE, "order": "updated", "cursor": cursor}
    reply = await one.http.get("/v1/documents", params=parameters)

    assert problem_of(reply) == (422, "InvalidInput")
    assert reply.json()["field"] == "cursor"


async def test_deleted_documents_are_found_on_demand(one: Running) -> None:
    for document_id in ("a", "b", "c"):
        await one.create(document_id, slug=f"slug-{document_id}")
    await one.add("b", "Milk")
    await one.http.delete("/v1/documents/b", params={"wait": "read"})

    assert ids_of(await find(one, type=TODO_TYPE)) == ["a", "c"]
    deleted = await find(one, type=TODO_TYPE, deleted="true")
    assert ids_of(deleted) == ["b"]
    assert deleted["documents"][0]["header"]["is_deleted"]
    assert deleted["documents"][0]["state"]["global"]["items"] == ["Milk"]
    assert ids_of(await find(one, type=TODO_TYPE, include_deleted="true")) == ["a", "b", "c"]
    newest = await find(one, type=TODO_TYPE, include_deleted="true", order="updated")
    assert ids_of(newest) == ["b", "c", "a"]
    assert ids_of(await find(one, ids="c,b", include_deleted="true")) == ["c", "b"]
    assert ids_of(await find(one, ids="c,b", deleted="true")) == ["b"]
    assert ids_of(await find(one, slugs="slug-b,slug-a", include_deleted="true")) == ["a"]


async def test_scopes_narrow_what_is_shown_of_each(one: Running) -> None:
    await one.create("a", slug="home")

    for asked in ({"ids": "a"}, {"slugs": "home"}, {"type": TODO_TYPE}):
        (document,) = (await find(one, **asked, scopes="local"))["documents"]
        assert sorted(document["state"]) == ["document", "local"]
        (document,) = (await find(one, **asked, header_only="true"))["documents"]
        assert (document["header"]["slug"], document["state"]) == ("home", {})


async def test_a_document_that_was_set_aside_is_found_with_the_reason(one: Running) -> None:
    await one.create("a")
    live = one.node.local(one.node.partition_of("a"))
    assert live is not None
    stage = live.documents.stage()
    stage.quarantine("a", problem(HashMismatchError("a", key="k", expected="x", actual="y")))
    live.documents.store.write(stage.rows(), {}, now_ms=0)

    (document,) = (await find(one, type=TODO_TYPE))["documents"]

    assert document["problem"]["title"] == "HashMismatch"


async def test_children_are_found_in_the_order_in_which_they_became_that(one: Running) -> None:
    for document_id in ("drive", "a", "b", "c", "d"):
        await one.create(document_id)
    await relate(one, "drive", "c")
    token = await relate(one, "drive", "a", "d")

    assert ids_of(await find(one, parent="drive", token=token)) == ["c", "a", "d"]
    assert await every_page(one, parent="drive", token=token) == ["c", "a", "d"]
    assert ids_of(await find(one, parent="a", token=token)) == []


async def test_a_page_of_children_holds_no_more_than_are_shown(one: Running) -> None:
    for document_id in ("drive", "a", "c"):
        await one.create(document_id)
    await one.http.post(
        "/v1/documents?wait=read", json={"document_type": "example/text", "id": "b"}
    )
    token = await relate(one, "drive", "a", "b", "nobody", "c")
    await one.http.delete("/v1/documents/a", params={"wait": "read"})

    assert ids_of(await find(one, parent="drive", token=token)) == ["b", "c"]
    first = await find(one, parent="drive", token=token, limit=2)
    assert (ids_of(first), first["next_cursor"] is None) == (["b"], False)
    rest = await find(one, parent="drive", token=token, limit=2, cursor=first["next_cursor"])
    assert (ids_of(rest), rest["next_cursor"]) == (["c"], None)
    assert ids_of(await find(one, parent="drive", token=token, type=TODO_TYPE)) == ["c"]
    with_deleted = await find(one, parent="drive", token=token, include_deleted="true")
    assert ids_of(with_deleted) == ["a", "b", "c"]


async def test_children_wait_for_the_graph_that_a_token_asks_for(one: Running) -> None:
    partition = one.node.partition_of("drive")
    token = f"{one.node.log_id}.{partition}-999999"

    reply = await one.http.get(
        "/v1/documents", params={"parent": "drive", "token": token, "timeout_ms": 20}
    )

    assert problem_of(reply) == (504, "NotYetVisible")


async def test_ids_come_before_a_parent_and_a_parent_before_a_type(one: Running) -> None:
    for document_id in ("drive", "a", "b"):
        await one.create(document_id, slug=f"slug-{document_id}")
    token = await relate(one, "drive", "b")

    both = {"parent": "drive", "type": TODO_TYPE, "token": token}
    assert ids_of(await find(one, ids="a", **both)) == ["a"]
    assert ids_of(await find(one, slugs="slug-a", **both)) == ["a"]
    assert ids_of(await find(one, **both)) == ["b"]


async def test_a_type_narrows_the_document_that_a_slug_stands_for(one: Running) -> None:
    await one.create("a", slug="home")
    await one.http.post(
        "/v1/documents?wait=read",
        json={"document_type": "example/text", "id": "b", "slug": "home"},
    )

    assert ids_of(await find(one, slugs="home", type="example/text")) == ["b"]
    assert ids_of(await find(one, slugs="home", type=TODO_TYPE)) == []


async def test_any_node_finds_children_and_the_last_changed_of_all_partitions() -> None:
    async with several_nodes(2) as (first, second):
        created = [f"d{number}" for number in range(6)]
        for document_id in created:
            await first.create(document_id)
        token = await relate(first, "d0", *created[1:])
        answers = [
            (
                await every_page(node, type=TODO_TYPE, order="updated", token=token),
                await every_page(node, parent="d0", token=token),
            )
            for node in (first, second)
        ]
        deleted = await first.http.delete("/v1/documents/d3", params={"wait": "read"})
        seen = {"token": [token, deleted.json()["token"]]}
        gone = await find(second, type=TODO_TYPE, deleted="true", header_only="true", **seen)

    newest = ["d0", *reversed(created[1:])]
    assert answers == [(newest, created[1:])] * 2
    assert ids_of(gone) == ["d3"]


async def test_whoever_goes_ends_the_wait_that_it_asked_for() -> None:
    async with several_nodes(1) as (one,):
        live = one.node.local(one.node.partition_of("a"))
        assert live is not None
        token = f"{one.node.log_id}.{live.number}-999999"
        asked: list[dict[str, str]] = [{"ids": "a"}, {"slugs": "a"}, {"type": TODO_TYPE}]
        for parameters in asked:
            asking = asyncio.ensure_future(
                one.http.get("/v1/documents", params={**parameters, "token": token})
            )
            await until(lambda: live.viewed.waiting == 1)
            asking.cancel()
            await until(lambda: live.viewed.waiting == 0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  nobody is told who waits
            await asyncio.sleep(0.002)


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


async def test_a_page_of_children_with_long_ids_is_one_that_others_can_be_asked_for() -> None:
    async with several_nodes(2) as (first, second):
        await first.create("drive")
        ids = [f"{number:03}" + "x" * 197 for number in range(200)]
        token = await relate(first, "drive", *ids)
        await first.create(ids[-1])
        found: list[str] = []
        cursor: dict[str, str] = {}
        pages: list[int] = []
        while True:
            pages.append(len(found))
            page = await find(second, parent="drive", limit=1_000, token=token, **cursor)
            found += ids_of(page)
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}

    assert found == [ids[-1]]
    assert len(pages) == 2
