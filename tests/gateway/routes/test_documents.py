"""One document over HTTP: by id, by slug, at an index, with a token."""

from __future__ import annotations

from docreactor.gateway.reach import ANSWERED_BY, NODE, POSITION
from tests.gateway.deployment import Running, problem_of, several_nodes


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
