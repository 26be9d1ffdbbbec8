"""The calls of the clients that look after read models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from docreactor import Reactor, SyncReactor
from docreactor.examples.todo import todo
from docreactor.gateway.generations import Replayed
from docreactor.pipeline.errors import (
    InvalidInputError,
    NothingToRollBackError,
    ReadModelNotRetirableError,
    RebuildUnfinishedError,
    UnknownReadModelError,
)
from tests.gateway.deployment import Running, several_nodes
from tests.gateway.routes.test_generations import set_aside, swapped, until_serving
from tests.gateway.routes.test_rows import Items
from tests.support.holding import Holding
from tests.support.nodes import until

PARTITIONS = 2


@pytest.fixture
async def two() -> AsyncGenerator[list[Running]]:
    """Two nodes that share two partitions, and keep items."""
    async with several_nodes(2, models=[todo, Items()], partitions=PARTITIONS) as running:
        await until(lambda: all("items" in one.node.coordinator.required for one in running))
        yield running


async def test_generations_are_made_put_back_and_dropped(two: list[Running]) -> None:
    reactor = two[0].reactor
    rebuilt = await reactor.rebuild("documents")
    assert (rebuilt.generation, rebuilt.required, rebuilt.retired) == (1, True, False)
    await swapped(two, "documents", 1)
    assert (await two[1].reactor.roll_back("documents")).generation == 0
    await swapped(two, "documents", 0)
    finished = await reactor.finish("documents")
    assert list(finished.versions) == ["0"]
    with pytest.raises(NothingToRollBackError):
        await reactor.roll_back("documents")


async def test_a_rebuild_that_begins_at_a_token_is_given_nothing_before(two: list[Running]) -> None:
    reactor = two[0].reactor
    for number in range(4):
        await reactor.create("example/todo", id=f"d{number}")
        await reactor.submit(f"d{number}", {"type": "ADD_ITEM", "input": {"text": "milk"}})
    job = await reactor.rename("d0", "Shopping", wait="read")
    await reactor.wait_for(job.token)
    token = next(one for one in (await reactor.read_models()).read_models if one.name == "items")
    await two[1].reactor.rebuild("items", begin=token.position)
    await swapped(two, "items", 1)
    assert (await reactor.rows("items")).rows == []
    with pytest.raises(InvalidInputError):
        await reactor.rebuild("documents", begin=token.position)


async def test_a_read_model_is_retired_and_comes_again(two: list[Running]) -> None:
    reactor = two[1].reactor
    assert (await reactor.retire("items")).retired
    await until(lambda: two[0].node.coordinator.models["items"].is_retired)
    with pytest.raises(UnknownReadModelError):
        await two[0].reactor.rows("items")
    assert not (await two[0].reactor.revive("items")).retired
    await until(lambda: "items" in two[1].node.coordinator.required)
    with pytest.raises(ReadModelNotRetirableError):
        await reactor.retire("documents")


async def test_what_was_set_aside_is_listed_tried_again_and_taken_back(two: list[Running]) -> None:
    for document_id in ("a", "b", "c"):
        await two[0].create(document_id)
        set_aside(document_id, two)
    reactor = two[1].reactor
    found = (await reactor.quarantine("documents")).documents
    assert [(one.model, one.document_id) for one in found] == [
        ("documents", document_id) for document_id in ("a", "b", "c")
    ]
    assert found[0].problem["title"] == "HashMismatch"
    assert (await reactor.retry_quarantined("documents", "a")).documents == []
    assert (await reactor.clear_quarantined("documents", "b")).documents == []
    assert [one.document_id for one in (await reactor.quarantine()).documents] == ["c"]


async def test_a_replay_goes_on_from_page_to_page(two: list[Running]) -> None:
    for number in range(4):
        await two[0].create(f"d{number}")
    reactor, pages = two[1].reactor, list[Replayed]()
    for partition in range(PARTITIONS):
        page = await reactor.replay_partition("documents", partition, limit=1)
        pages.append(page)
        while page.next_cursor is not None:
            page = await reactor.replay_partition(
                "documents", partition, limit=1, cursor=page.next_cursor
            )
            pages.append(page)
    assert len(pages) > PARTITIONS
    assert sum(page.documents for page in pages) >= 4


async def test_finishing_what_does_not_serve_everywhere_is_refused() -> None:
    holding = Holding("1/documents-1")
    async with several_nodes(2, partitions=2, open_store=holding.open) as two:
        for number in range(4):
            await two[0].create(f"d{number}")
        await two[0].reactor.rebuild("documents")
        await until_serving(two[0], "documents", {0: 1, 1: 0})
        with pytest.raises(RebuildUnfinishedError) as caught:
            await two[0].reactor.finish("documents")
        assert caught.value.facts == {"name": "documents", "generation": 1}
        # There is a way back from what cannot be finished.
        await two[0].reactor.roll_back("documents")
        await swapped(two, "documents", 0)
        assert list((await two[0].reactor.finish("documents")).versions) == ["0"]


async def test_the_blocking_client_and_a_session_do_the_same(two: list[Running]) -> None:
    await two[0].create("a")
    set_aside("a", two)

    def ask(url: str) -> list[str]:
        with SyncReactor(url) as reactor, reactor.session() as session:
            aside = [one.document_id for one in session.quarantine().documents]
            session.retry_quarantined("documents", "a")
            reactor.rebuild("documents")
            return aside

    assert await asyncio.to_thread(ask, two[1].node.url) == ["a"]
    await swapped(two, "documents", 1)
    async with Reactor(two[0].node.url) as reactor, reactor.session() as session:
        assert (await session.roll_back("documents")).generation == 0
        assert (await session.quarantine()).documents == []
