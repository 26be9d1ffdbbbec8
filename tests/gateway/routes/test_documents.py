"""One document over HTTP: by id, by slug, at an index, with a token."""

from __future__ import annotations

import asyncio

from docreactor.gateway.reach import ANSWERED_BY, NODE, POSITION
from tests.gateway.deployment import Running, problem_of, several_nodes
from tests.gateway.test_mutations import of_the_other


async def test_a_document_shows_header_states_and_position(one: Running) -> None:
    await one.create("shop-1", slug="groceries", name="Groceries", meta={"shelf": 3})
    job = await one.add("shop-1", "Milk")

    reply = await one.http.get("/v1/documents/shop-1", params={"token": job["token"]})

    assert reply.status_code == 200
    document = reply.json()
    header = document["header"]
    assert header["id"] == "shop-1"
    assert header["document_type"] == "example/todo"
    assert header["slug"] == "groceries"
    assert header["name"] == "Groceries"
    assert header["branch"] == "main"
    assert header["meta"] == {"shelf": 3}
    assert header["revision"] == {"document": 2, "global": 1}
    assert header["last_modified_at"] > header["created_at"]
    assert document["state"]["global"] == {"items": ["Milk"], "completed": []}
    assert document["state"]["document"]["version"] == 1
    assert document["position"] == reply.headers[POSITION]
    assert reply.headers[ANSWERED_BY] == "local"
    assert reply.headers[NODE] == one.node.node_id


async def test_scopes_narrow_what_is_shown(one: Running) -> None:
    await one.create("shop-1")

    reply = await one.http.get("/v1/documents/shop-1", params={"scopes": "local"})

    assert sorted(reply.json()["state"]) == ["document", "local"]


async def test_a_slug_finds_its_document(one: Running) -> None:
    await one.create("shop-1", slug="groceries")

    reply = await one.http.get("/v1/documents/groceries")

    assert reply.json()["header"]["id"] == "shop-1"


async def test_a_slug_that_no_id_could_be_finds_its_document(one: Running) -> None:
    await one.create("shop-1", slug="what to buy, today")

    reply = await one.http.get("/v1/documents/what%20to%20buy%2C%20today")

    assert reply.json()["header"]["id"] == "shop-1"


async def test_an_id_that_is_another_documents_slug_is_ambiguous(one: Running) -> None:
    await one.create("shop-1")
    await one.create("shop-2", slug="shop-1")

    reply = await one.http.get("/v1/documents/shop-1")

    assert problem_of(reply) == (409, "AmbiguousIdentifier")
    assert sorted(reply.json()["document_ids"]) == ["shop-1", "shop-2"]


async def test_an_unknown_document_is_not_found_with_the_position_that_says_so(
    one: Running,
) -> None:
    reply = await one.http.get("/v1/documents/nobody")

    assert problem_of(reply) == (404, "DocumentNotFound")
    assert reply.headers[ANSWERED_BY] == "local"
    assert reply.headers[POSITION].startswith(one.node.log_id)


async def test_a_branch_without_a_creation_is_not_found(one: Running) -> None:
    await one.create("shop-1")

    reply = await one.http.get("/v1/documents/shop-1", params={"branch": "draft"})

    assert problem_of(reply) == (404, "DocumentNotFound")


async def test_at_shows_the_state_right_after_an_operation(one: Running) -> None:
    await one.create("shop-1")
    job = await one.add("shop-1", "Milk", "Bread", "Eggs")

    parameters = {"at": "global:1", "token": job["token"]}
    document = (await one.http.get("/v1/documents/shop-1", params=parameters)).json()

    assert document["state"] == {"global": {"items": ["Milk", "Bread"], "completed": []}}
    assert document["header"]["revision"] == {"global": 2}


async def test_at_beyond_the_head_names_the_head(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk")

    reply = await one.http.get("/v1/documents/shop-1", params={"at": "global:1"})

    assert problem_of(reply) == (404, "RevisionNotFound")
    assert reply.json()["head"] == 0


async def test_at_must_name_a_scope_and_an_index(one: Running) -> None:
    for at in ("global", "global:", "global:-1", "global:x", ":1", "a/b:1"):
        reply = await one.http.get("/v1/documents/shop-1", params={"at": at})
        assert problem_of(reply) == (422, "InvalidInput")
        assert reply.json()["field"] == "at"


async def test_a_deleted_document_is_gone_and_stays_readable_at_its_indexes(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk")
    await one.http.delete("/v1/documents/shop-1", params={"wait": "read"})

    gone = await one.http.get("/v1/documents/shop-1")
    then = await one.http.get("/v1/documents/shop-1", params={"at": "global:0"})

    assert problem_of(gone) == (410, "DocumentDeleted")
    assert then.json()["state"]["global"]["items"] == ["Milk"]


async def test_a_token_that_is_none_is_refused(one: Running) -> None:
    reply = await one.http.get("/v1/documents/shop-1", params={"token": "mine"})

    assert problem_of(reply) == (422, "InvalidToken")


async def test_a_token_of_another_log_is_refused(one: Running) -> None:
    reply = await one.http.get("/v1/documents/shop-1", params={"token": "f" * 32 + ".0-1"})

    assert problem_of(reply) == (409, "TokenOfAnotherLog")


async def test_a_position_that_does_not_come_is_not_yet_visible(one: Running) -> None:
    job = await one.create("shop-1")
    partition = one.node.partition_of("shop-1")
    token = f"{one.node.log_id}.{partition}-999999"

    reply = await one.http.get(
        "/v1/documents/shop-1", params={"token": [job["token"], token], "timeout_ms": 20}
    )

    assert problem_of(reply) == (504, "NotYetVisible")
    assert reply.json()["wanted"] == token
    assert reply.json()["reached"].startswith(one.node.log_id)


async def test_any_node_answers_for_every_document() -> None:
    async with several_nodes(2) as (first, second):
        ids = [f"shop-{number}" for number in range(8)]
        for document_id in ids:
            await first.create(document_id, slug=f"slug of {document_id}")
        replies = [await first.http.get(f"/v1/documents/{one}") for one in ids]
        others = [await second.http.get(f"/v1/documents/slug%20of%20{one}") for one in ids]

    assert [reply.json()["header"]["id"] for reply in replies] == ids
    assert [reply.json()["header"]["id"] for reply in others] == ids
    assert {reply.headers[ANSWERED_BY] for reply in replies} == {"local", "forwarded"}
    assert {reply.headers[NODE] for reply in replies} == {first.node.node_id, second.node.node_id}


async def test_a_header_alone_comes_without_states(one: Running) -> None:
    await one.create("shop-1", name="Groceries")

    document = (await one.http.get("/v1/documents/shop-1?header_only=true")).json()
    then = (await one.http.get("/v1/documents/shop-1?header_only=true&at=document:0")).json()

    assert (document["header"]["name"], document["state"]) == ("Groceries", {})
    assert (then["header"]["revision"], then["state"]) == ({"document": 1}, {})


async def test_a_header_alone_has_no_scopes(one: Running) -> None:
    reply = await one.http.get("/v1/documents/shop-1?header_only=true&scopes=local")

    assert problem_of(reply) == (422, "InvalidInput")
    assert reply.json()["field"] == "scopes"


async def test_a_deleted_document_is_shown_on_demand_as_it_was_last(one: Running) -> None:
    await one.create("shop-1", slug="groceries")
    await one.add("shop-1", "Milk")
    await one.http.delete("/v1/documents/shop-1", params={"wait": "read"})

    reply = await one.http.get("/v1/documents/shop-1?include_deleted=true")

    header, state = reply.json()["header"], reply.json()["state"]
    assert header["is_deleted"]
    assert header["deleted_at"] == header["last_modified_at"]
    assert header["slug_claimed_at"] is None
    assert state["global"] == {"items": ["Milk"], "completed": []}
    assert state["document"]["is_deleted"]


async def test_an_erased_document_is_gone_on_demand_too(one: Running) -> None:
    await one.create("shop-1")
    await one.http.post("/v1/documents/shop-1/erase", params={"wait": "read"})

    reply = await one.http.get("/v1/documents/shop-1?include_deleted=true")

    assert problem_of(reply) == (410, "DocumentErased")


async def test_each_branch_is_a_document_of_its_own(one: Running) -> None:
    await one.create("shop-1", name="main")
    await one.create("shop-1", branch="draft", name="draft")
    await one.add("shop-1", "Milk")
    actions = [{"type": "ADD_ITEM", "input": {"text": text}} for text in ("Bread", "Eggs")]
    body = {"actions": actions, "branch": "draft"}
    await one.http.post("/v1/documents/shop-1/actions?wait=read", json=body)

    now = (await one.http.get("/v1/documents/shop-1?branch=draft")).json()
    then = (await one.http.get("/v1/documents/shop-1?branch=draft&at=global:0")).json()

    assert now["header"]["branch"] == now["header"]["name"] == "draft"
    assert now["state"]["global"]["items"] == ["Bread", "Eggs"]
    assert then["state"] == {"global": {"items": ["Bread"], "completed": []}}


async def test_a_caller_may_say_whether_it_has_an_id_or_a_slug(one: Running) -> None:
    await one.create("shop-1")
    await one.create("shop-2", slug="shop-1")

    by_id = await one.http.get("/v1/documents/shop-1?by=id")
    by_slug = await one.http.get("/v1/documents/shop-1?by=slug")
    neither = await one.http.get("/v1/documents/shop-2?by=slug")
    no_id = await one.http.get("/v1/documents/what%20to%20buy?by=id")

    assert by_id.json()["header"]["id"] == "shop-1"
    assert by_slug.json()["header"]["id"] == "shop-2"
    assert problem_of(neither) == (404, "DocumentNotFound")
    assert neither.headers[ANSWERED_BY] == "local"
    assert neither.headers[POSITION].startswith(f"{one.node.log_id}.")
    assert problem_of(no_id) == (422, "InvalidInput")


async def test_the_id_of_a_deleted_document_that_is_a_living_ones_slug_is_ambiguous(
    one: Running,
) -> None:
    await one.create("shop-1")
    await one.create("shop-2", slug="shop-1")
    await one.http.delete("/v1/documents/shop-1", params={"wait": "read"})

    reply = await one.http.get("/v1/documents/shop-1")

    assert problem_of(reply) == (409, "AmbiguousIdentifier")


async def test_a_document_whose_slug_is_its_own_id_is_not_ambiguous(one: Running) -> None:
    await one.create("shop-1", slug="shop-1")

    assert (await one.http.get("/v1/documents/shop-1")).status_code == 200


async def test_a_slug_stands_for_its_newest_claim_wherever_its_claimants_are() -> None:
    async with several_nodes(2) as (first, second):
        older, younger = of_the_other(first, second), of_the_other(second, first)
        await first.create(older)
        await first.create(younger, slug="home")
        body = {"actions": [{"type": "SET_SLUG", "input": {"slug": "home"}}]}
        reply = await first.http.post(f"/v1/documents/{older}/actions?wait=read", json=body)
        assert reply.status_code == 200, reply.text
        one = await first.http.get("/v1/documents/home")
        other = await second.http.get("/v1/documents", params={"slugs": "home"})

    assert one.json()["header"]["id"] == older
    assert [document["header"]["id"] for document in other.json()["documents"]] == [older]


async def test_header_and_state_are_of_one_version_while_they_are_written(one: Running) -> None:
    await one.create("shop-1")

    async def write() -> None:
        for number in range(30):
            await one.add("shop-1", f"item {number}", wait="write")

    writing = asyncio.ensure_future(write())
    seen: set[int] = set()
    while not writing.done():
        document = (await one.http.get("/v1/documents/shop-1?by=id")).json()
        items = len(document["state"]["global"]["items"])
        assert document["header"]["revision"].get("global", 0) == items
        found = (await one.http.get("/v1/documents?ids=shop-1")).json()["documents"][0]
        assert found["header"]["revision"].get("global", 0) == len(
            found["state"]["global"]["items"]
        )
        seen.add(items)
    await writing

    assert len(seen) > 1
