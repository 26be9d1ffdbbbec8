"""What the documents' read model promises, over HTTP and through the client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from docreactor.gateway.reach import ANSWERED_BY, NODE, POSITION
from docreactor.gateway.reading import Reading
from docreactor.pipeline.errors import (
    AmbiguousIdentifierError,
    DocumentDeletedError,
    DocumentNotFoundError,
    InvalidInputError,
    NotYetVisibleError,
)
from docreactor.pipeline.position import Position
from tests.gateway.deployment import TODO_TYPE, Gate, Running, one_node


async def found(reads: Reading, **asked: Any) -> list[str]:
    page = await reads.find(**asked)
    return [document.header.id for document in page.documents]


async def set_slug(one: Running, document_id: str, slug: str, **how: str) -> str:
    """Let a document claim a slug; the token."""
    action = {"type": "SET_SLUG", "input": {"slug": slug}, **how}
    return (await one.reactor.submit(document_id, action, wait="read")).token


async def test_a_read_with_the_token_of_a_past_write_answers_at_once(one: Running) -> None:
    token = (await one.create("shop-1"))["token"]

    document = await one.reactor.get("shop-1", token=token, timeout_ms=0)

    assert document.header.id == "shop-1"


async def test_a_read_with_the_token_of_a_write_under_way_waits_and_shows_it() -> None:
    gate = Gate()
    async with one_node(gate) as one:
        await one.create("shop-1")
        position = (await one.reactor.get("shop-1")).position
        token, _, reached = position.rpartition("-")
        token = f"{token}-{int(reached) + 1}"
        gate.shut()
        await one.reactor.submit("shop-1", {"type": "ADD_ITEM", "input": {"text": "Milk"}})
        getting = asyncio.ensure_future(one.reactor.get("shop-1", token=token))
        finding = asyncio.ensure_future(one.reactor.find(type=TODO_TYPE, token=token))
        done, _ = await asyncio.wait([getting, finding], timeout=0.1)
        assert not done
        gate.open()
        document, page = await getting, await finding

    for shown in (document, *page.documents):
        assert shown.state["global"]["items"] == ["Milk"]


async def test_a_read_whose_token_does_not_come_in_time_says_so(one: Running) -> None:
    await one.create("shop-1")
    token = f"{one.node.log_id}.{one.node.partition_of('shop-1')}-999999"

    for work in (
        one.reactor.get("shop-1", token=token, timeout_ms=20),
        one.reactor.exists(["shop-1"], token=token, timeout_ms=20),
        one.reactor.find(type=TODO_TYPE, token=token, timeout_ms=20),
        one.reactor.find(parent="shop-1", token=token, timeout_ms=20),
        one.reactor.slugs(["x"], token=token, timeout_ms=20),
        one.reactor.branches("shop-1", token=token, timeout_ms=20),
    ):
        with pytest.raises(NotYetVisibleError):
            await work


async def test_one_call_waits_for_all_partitions_no_longer_than_it_may(one: Running) -> None:
    parts = "_".join(f"{number}-999999" for number in range(one.node.partition_count))
    loop = asyncio.get_running_loop()
    began = loop.time()

    with pytest.raises(NotYetVisibleError):
        await one.reactor.slugs(["x"], token=f"{one.node.log_id}.{parts}", timeout_ms=500)

    assert loop.time() - began < 0.5 * one.node.partition_count / 2


async def test_a_deleted_document_is_gone_from_every_query(one: Running) -> None:
    await one.create("shop-1", slug="groceries")
    await one.create("shop-2")
    await one.reactor.add_children("shop-2", ["shop-1"], wait="read")
    token = (await one.reactor.delete("shop-1", wait="read")).token

    assert await one.reactor.exists(["shop-1", "shop-2"], token=token) == [False, True]
    with pytest.raises(DocumentDeletedError):
        await one.reactor.get("shop-1")
    with pytest.raises(DocumentNotFoundError):
        await one.reactor.get("groceries")
    many = await one.reactor.get_many(["shop-2", "shop-1", "nobody", "shop-2"])
    assert [document.header.id for document in many] == ["shop-2", "shop-2"]
    assert await found(one.reactor, ids=["shop-1", "shop-2"]) == ["shop-2"]
    assert await found(one.reactor, type=TODO_TYPE) == ["shop-2"]
    assert await found(one.reactor, slugs=["groceries"]) == []
    assert await found(one.reactor, parent="shop-2") == []
    assert await one.reactor.resolve_slug("groceries") is None


async def test_a_refused_deletion_changes_nothing(one: Running) -> None:
    await one.create("shop-1", slug="groceries")
    before = await one.reactor.get("shop-1")
    # A load is never refused for what its stream holds: this deletion is stored with its error.
    operation = {
        "action": {
            "id": "a-deletion",
            "type": "DELETE_DOCUMENT",
            "scope": "document",
            "timestamp": "2036-11-21T00:00:00.000000Z",
            "input": {"document_id": "another"},
        }
    }
    token = (await one.reactor.load("shop-1", [operation], wait="read")).token

    stored = await one.reactor.history("shop-1", scope="document", since=1, token=token)
    assert [one.error is None for one in stored.operations] == [False]
    after = await one.reactor.get("groceries", token=token)
    assert after.state == before.state
    assert not after.header.is_deleted
    assert await one.reactor.exists(["shop-1"]) == [True]
    assert await found(one.reactor, type=TODO_TYPE) == ["shop-1"]


async def test_an_operation_after_the_deletion_neither_restores_the_slug_nor_takes_it_back(
    one: Running,
) -> None:
    await one.create("shop-1", slug="groceries")
    deleted = await one.reactor.delete("shop-1", wait="read")
    assert deleted.failure is None
    late = {
        "action": {
            "id": "late",
            "type": "ADD_ITEM",
            "scope": "global",
            "timestamp": "2036-11-21T00:00:00.000000Z",
            "input": {"text": "Milk"},
        }
    }
    token = (await one.reactor.load("shop-1", [late], wait="read")).token
    assert await one.reactor.resolve_slug("groceries", token=token) is None

    await one.create("shop-2", slug="groceries")
    claim = {
        "action": late["action"]
        | {"id": "later", "type": "SET_SLUG", "input": {"slug": "groceries"}}
    }
    token = (await one.reactor.load("shop-1", [claim], wait="read")).token

    assert await one.reactor.resolve_slug("groceries", token=token) == "shop-2"
    assert (await one.reactor.get("groceries")).header.id == "shop-2"
    assert await found(one.reactor, slugs=["groceries"]) == ["shop-2"]
    (claimed,) = (await one.reactor.slugs(["groceries"])).slugs
    assert claimed.rivals == []


async def test_what_is_one_documents_id_and_anothers_slug_is_ambiguous(one: Running) -> None:
    await one.create("shop-1")
    await one.create("shop-2", slug="shop-1")

    with pytest.raises(AmbiguousIdentifierError) as refusal:
        await one.reactor.get("shop-1")

    assert sorted(refusal.value.facts["document_ids"]) == ["shop-1", "shop-2"]
    assert (await one.reactor.get("shop-1", by="id")).header.id == "shop-1"
    assert (await one.reactor.get("shop-1", by="slug")).header.id == "shop-2"
    await set_slug(one, "shop-1", "shop-1")
    await set_slug(one, "shop-2", "another")
    assert (await one.reactor.get("shop-1")).header.id == "shop-1"


async def test_ids_come_before_slugs_slugs_before_a_parent_and_that_before_a_type(
    one: Running,
) -> None:
    for document_id in ("a", "b", "c", "drive"):
        await one.create(document_id, slug=f"slug-{document_id}")
    token = (await one.reactor.add_children("drive", ["b"], wait="read")).token
    asked = {"parent": "drive", "type": TODO_TYPE, "token": token}

    assert await found(one.reactor, ids=["c"], **asked) == ["c"]
    assert await found(one.reactor, slugs=["slug-a"], **asked) == ["a"]
    assert await found(one.reactor, **asked) == ["b"]
    assert await found(one.reactor, type=TODO_TYPE) == ["a", "b", "c", "drive"]


async def test_ids_and_slugs_together_are_refused_and_so_is_nothing(one: Running) -> None:
    with pytest.raises(InvalidInputError):
        await one.reactor.find(ids=["a"], slugs=["b"])
    with pytest.raises(InvalidInputError):
        await one.reactor.find()


async def test_a_type_narrows_ids_slugs_and_a_parents_children(one: Running) -> None:
    for document_id in ("drive", "a"):
        await one.create(document_id, slug=f"slug-{document_id}")
    await one.reactor.create("example/text", id="b", slug="slug-b", wait="read")
    token = (await one.reactor.add_children("drive", ["a", "b"], wait="read")).token
    text = {"type": "example/text", "token": token}

    assert await found(one.reactor, ids=["a", "b"], **text) == ["b"]
    assert await found(one.reactor, slugs=["slug-a", "slug-b"], **text) == ["b"]
    assert await found(one.reactor, parent="drive", **text) == ["b"]


async def test_every_reply_says_who_answered_and_how_far_it_was(one: Running) -> None:
    token = (await one.create("shop-1", slug="groceries"))["token"]
    asked = (
        "/v1/documents/shop-1",
        "/v1/documents/groceries?by=slug",
        "/v1/documents/shop-1?at=document:0",
        "/v1/documents/nobody?by=slug",
        "/v1/documents/shop-1/branches",
        "/v1/documents/shop-1/operations?scope=document",
        "/v1/documents?ids=shop-1",
        "/v1/documents?slugs=groceries",
        "/v1/documents?parent=shop-1",
        f"/v1/documents?type={TODO_TYPE}",
        "/v1/exists?ids=shop-1",
        "/v1/slugs",
    )
    wanted = Position.parse(token, log_id=one.node.log_id)
    for path in asked:
        joint = "&" if "?" in path else "?"
        reply = await one.http.get(f"{path}{joint}token={token}")
        assert reply.headers[ANSWERED_BY] == "local", path
        assert reply.headers[NODE] == one.node.node_id
        reached = Position.parse(reply.headers[POSITION], log_id=one.node.log_id)
        assert reached.reached(wanted), path
