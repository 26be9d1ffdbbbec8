"""The calls of the Python client that show documents, over a real node."""

from __future__ import annotations

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
