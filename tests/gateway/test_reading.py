"""The calls of the Python client that show documents, over a real node."""

from __future__ import annotations

import pytest

from docreactor.pipeline.errors import DocumentNotFoundError
from tests.gateway.deployment import TODO_TYPE, Running


async def test_a_document_a_page_and_a_history_are_read_with_the_token_of_a_write(
    one: Running,
) -> None:
    await one.create("shop-1")
    action = {"type": "ADD_ITEM", "input": {"text": "Milk"}}
    job = await one.reactor.submit("shop-1", action, wait="write")

    document = await one.reactor.get("shop-1", token=job.token)
    page = await one.reactor.find(type=TODO_TYPE, token=job.token)
    history = await one.reactor.history("shop-1", token=job.token)

    assert document.state["global"]["items"] == ["Milk"]
    assert [found.header.id for found in page.documents] == ["shop-1"]
    assert [stored.action.input for stored in history.operations] == [{"text": "Milk"}]


async def test_many_documents_come_in_the_order_asked_and_repeated_as_asked(one: Running) -> None:
    for document_id in ("a", "b", "c"):
        await one.create(document_id)
    await one.reactor.delete("b", wait="read")

    many = await one.reactor.get_many(["c", "b", "a", "nobody", "c"])
    assert [document.header.id for document in many] == ["c", "a", "c"]
    headers = await one.reactor.get_many(["b", "a"], include_deleted=True, header_only=True)
    assert [(one.header.is_deleted, one.state) for one in headers] == [(True, {}), (False, {})]
    assert await one.reactor.get_many([]) == []


async def test_very_many_ids_are_asked_for_one_part_after_another(one: Running) -> None:
    await one.create("a")
    ids = [f"{number:0200}" for number in range(100)]

    assert await one.reactor.exists(["a", *ids, "a"]) == [True, *([False] * 100), True]
    many = await one.reactor.get_many(["a", *ids, "a"])
    assert [document.header.id for document in many] == ["a", "a"]


async def test_whether_documents_exist_is_told_in_the_order_asked(one: Running) -> None:
    await one.create("a")

    assert await one.reactor.exists(["nobody", "a", "a"]) == [False, True, True]
    assert await one.reactor.exists([]) == []


async def test_documents_are_found_by_parent_and_by_last_change(one: Running) -> None:
    for document_id in ("a", "b", "c"):
        await one.create(document_id)
    token = (await one.reactor.add_children("a", ["c", "b"], wait="read")).token

    newest = await one.reactor.find(type=TODO_TYPE, order="updated", limit=2, token=token)
    assert [found.header.id for found in newest.documents] == ["a", "c"]
    rest = await one.reactor.find(type=TODO_TYPE, order="updated", cursor=newest.next_cursor)
    assert [found.header.id for found in rest.documents] == ["b"]
    children = await one.reactor.find(parent="a", header_only=True, token=token)
    assert [found.header.id for found in children.documents] == ["c", "b"]


async def test_deleted_documents_are_shown_on_demand(one: Running) -> None:
    await one.create("a")
    token = (await one.reactor.delete("a", wait="read")).token

    gone = await one.reactor.get("a", include_deleted=True, token=token)
    assert gone.header.is_deleted
    assert gone.header.deleted_at == gone.header.last_modified_at
    (listed,) = (await one.reactor.find(type=TODO_TYPE, deleted=True)).documents
    assert listed.header.id == "a"
    assert not (await one.reactor.find(type=TODO_TYPE)).documents


async def test_a_slug_is_resolved_without_its_document(one: Running) -> None:
    await one.create("a", slug="docs/this, that.md")
    await one.create("b", slug="docs/this")

    assert await one.reactor.resolve_slug("docs/this, that.md") == "a"
    assert await one.reactor.resolve_slug("that.md") is None
    document = await one.reactor.get("docs/this, that.md", header_only=True)
    assert document.header.id == "a"
    with pytest.raises(DocumentNotFoundError):
        await one.reactor.get("docs/nothing.md")


async def test_slugs_are_listed_with_who_claims_them_too(one: Running) -> None:
    for document_id in ("a", "b"):
        await one.create(document_id, slug="home")

    page = await one.reactor.slugs(contested=True)
    (home,) = page.slugs
    assert (home.slug, home.document_id) == ("home", "b")
    assert [rival.document_id for rival in home.rivals] == ["a"]
    assert (await one.reactor.slugs([])).slugs == []


async def test_branches_are_told_with_their_headers(one: Running) -> None:
    await one.create("a", branch="draft", name="second")
    token = (await one.create("a"))["token"]

    page = await one.reactor.branches("a", limit=1, token=token)
    assert [(one.branch, one.name) for one in page.branches] == [("draft", "second")]
    rest = await one.reactor.branches("a", cursor=page.next_cursor)
    assert [one.branch for one in rest.branches] == ["main"]
