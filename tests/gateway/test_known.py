"""What a node knows of a document that runs on it."""

from __future__ import annotations

from docreactor.agents.live import LivePartition
from docreactor.gateway.known import known_document
from tests.gateway.deployment import Running


def partition(one: Running, document_id: str) -> LivePartition:
    found = one.node.local(one.node.partition_of(document_id))
    assert found is not None
    return found


async def test_it_is_the_document_as_the_reducer_left_it(one: Running) -> None:
    await one.create("shop-1", name="Groceries")
    known = known_document(partition(one, "shop-1"), "shop-1", "main")
    assert known is not None
    assert (known.document_type, known.name) == ("example/todo", "Groceries")


async def test_what_the_cache_has_let_go_is_known_by_the_view(one: Running) -> None:
    await one.create("shop-1", name="Groceries")
    live = partition(one, "shop-1")
    live.cache.clear()
    known = known_document(live, "shop-1", "main")
    assert known is not None
    assert known.name == "Groceries"


async def test_a_document_of_another_branch_or_none_is_not_known(one: Running) -> None:
    await one.create("shop-1")
    live = partition(one, "shop-1")
    assert known_document(live, "shop-1", "draft") is None
    assert known_document(live, "shop-2", "main") is None
