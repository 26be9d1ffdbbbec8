"""The calls of the Python client that tell of what happens."""

from __future__ import annotations

import asyncio

from docreactor.gateway.events.answers import DocumentEvent
from tests.gateway.deployment import TODO_TYPE, several_nodes


async def test_values_may_be_one_or_several_and_are_passed_on() -> None:
    async with (
        several_nodes(1) as (one,),
        one.reactor.events(id=["a", "b"], events="document.created") as events,
    ):
        for document_id in ("c", "b", "a"):
            await one.create(document_id)
        async with asyncio.timeout(10):
            found = [await anext(events) for _ in range(2)]

    ids = [event.document_id for event in found if isinstance(event, DocumentEvent)]
    assert sorted(ids) == ["a", "b"]


async def test_nothing_is_missed_before_the_callbacks_run() -> None:
    async with (
        several_nodes(1) as (one,),
        one.reactor.subscribe(type=TODO_TYPE) as callbacks,
    ):
        await one.create("shop-1")
        seen = asyncio.Event()
        callbacks.on_document_created(lambda _: seen.set())
        running = asyncio.create_task(callbacks.run())
        async with asyncio.timeout(10):
            await seen.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_session_remembers_what_it_was_told_of() -> None:
    async with (
        several_nodes(2, partitions=4) as (here, there),
        there.reactor.session() as session,
        session.events(events="document.updated") as events,
    ):
        await here.create("shop-1")
        await here.add("shop-1", "Milk", wait="write")
        async with asyncio.timeout(10):
            event = await anext(events)
        assert session.token == event.token
        assert len((await session.get("shop-1")).state["global"]["items"]) == 1
