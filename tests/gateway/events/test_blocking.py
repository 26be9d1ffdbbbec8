"""A stream of events for programs without async."""

from __future__ import annotations

import asyncio
import threading

import pytest

from docreactor import SyncReactor
from docreactor.gateway.events.answers import DocumentEvent
from docreactor.pipeline.errors import InvalidInputError
from tests.gateway.deployment import TODO_TYPE, several_nodes


async def test_each_step_waits_for_the_next_event() -> None:
    live = threading.Event()

    def follow(url: str) -> tuple[list[str], str | None]:
        found: list[str] = []
        with SyncReactor(url) as reactor, reactor.events(type=TODO_TYPE) as events:
            live.set()
            for event in events:
                assert isinstance(event, DocumentEvent)
                found.append(event.event)
                if len(found) == 2:
                    break
            events.close()
            assert list(events) == []
        return found, events.cursor

    async with several_nodes(1) as (one,):
        following = asyncio.create_task(asyncio.to_thread(follow, str(one.http.base_url)))
        await asyncio.to_thread(live.wait, 10)
        await one.create("shop-1")
        await one.add("shop-1", "Milk")
        found, cursor = await following
        await one.add("shop-1", "Bread")
        async with one.reactor.events(cursor=cursor) as rest:
            assert (await anext(rest)).event == "document.updated"

    assert found == ["document.created", "document.updated"]


async def test_what_is_refused_is_raised_by_its_name() -> None:
    def follow(url: str) -> None:
        with (
            SyncReactor(url) as reactor,
            pytest.raises(InvalidInputError),
            reactor.events(events="document.moved"),
        ):
            pass

    async with several_nodes(1) as (one,):
        await asyncio.to_thread(follow, str(one.http.base_url))
