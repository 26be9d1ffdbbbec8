"""A stream of events as the Python client follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from docreactor.gateway.connection import HTTPConnection
from docreactor.gateway.events.answers import DocumentEvent, RelationshipEvent
from docreactor.gateway.events.following import Events
from docreactor.pipeline.errors import ClientClosedError, ServerUnreachableError
from tests.gateway.events.front import front, wire
from tests.gateway.events.scene import creation, edge, operation, scene
from tests.support.nodes import LOG_ID, until

LEARNT: list[str] = []


@asynccontextmanager
async def connection(url: str, retry_for_s: float = 10.0) -> AsyncGenerator[HTTPConnection]:
    one = HTTPConnection(url, token=None, retry_for_s=retry_for_s, transport=None)
    try:
        yield one
    finally:
        await one.close()


def events(to: HTTPConnection, cursor: str | None = None) -> Events:
    return Events(to, {}, cursor=cursor, learn=LEARNT.append)


async def following(one: Events, count: int) -> list[str]:
    """The next documents that are told of."""
    found: list[str] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            event = await anext(one)
            assert isinstance(event, DocumentEvent)
            found.append(event.document_id)
    return found


async def test_events_have_types_and_tokens() -> None:
    LEARNT.clear()
    async with scene() as here, front(here) as app, connection(app.url) as to, events(to) as one:
        here.show_all()
        end = await here.store(*creation("d1"))
        created = await anext(one)
        await here.relate(edge("d1", "d2", "updated"), upto=end)
        related = await anext(one)

    assert isinstance(created, DocumentEvent)
    assert (created.event, created.document_id) == ("document.created", "d1")
    assert created.token == f"{LOG_ID}.0-{end}"
    assert isinstance(related, RelationshipEvent)
    assert (related.source_id, related.target_id, related.change) == ("d1", "d2", "updated")
    assert one.cursor == related.cursor
    assert LEARNT == [created.token, related.token]


async def test_whatever_breaks_no_event_is_lost_and_none_comes_twice() -> None:
    async with (
        scene(partitions=2) as here,
        front(here) as app,
        wire(app.url) as line,
        connection(line.url) as to,
        events(to) as one,
    ):
        here.show_all()
        found: list[str] = []
        for turn in range(3):
            several = [operation(f"d{turn}{at}") for at in range(4)]
            await here.store(*several, partition=turn % 2)
            found += await following(one, 2)
            line.cut()
            await until(lambda: app.hub.count == 0)
            await here.store(operation(f"e{turn}"), partition=1 - turn % 2)
            found += await following(one, 3)

    assert sorted(found) == sorted(
        [f"d{turn}{at}" for turn in range(3) for at in range(4)] + [f"e{at}" for at in range(3)]
    )
    assert line.opened > 1


async def test_a_break_before_the_first_event_loses_nothing() -> None:
    async with (
        scene() as here,
        front(here) as app,
        wire(app.url) as line,
        connection(line.url) as to,
        events(to) as one,
    ):
        here.show_all()
        line.cut()
        await until(lambda: app.hub.count == 0)
        await here.store(operation("d1"))

        assert await following(one, 1) == ["d1"]


async def test_after_an_overflow_it_goes_on_where_the_stream_ended() -> None:
    async with scene() as here, front(here, events_max=20) as app, connection(app.url) as to:
        here.show_all()
        async with events(to) as one:
            await here.store(operation("first"))
            # More in one transaction than may wait.
            await here.store(*(operation(f"d{at}") for at in range(30)))
            await here.store(operation("last"))
            found = await following(one, 32)
        assert app.figure("event_overflows_total") == 1

    assert found == ["first", *(f"d{at}" for at in range(30)), "last"]


async def test_a_cursor_begins_another_stream_behind_its_event() -> None:
    async with scene() as here, front(here) as app, connection(app.url) as to:
        here.show_all()
        async with events(to) as one:
            await here.store(operation("d1"), operation("d2"))
            first = await anext(one)

        async with events(to, first.cursor) as again:
            assert await following(again, 1) == ["d2"]


async def test_a_stream_that_nobody_entered_begins_with_its_first_step() -> None:
    async with scene() as here, front(here) as app, connection(app.url) as to:
        here.show_all()
        one = events(to)
        assert one.cursor is None
        async with asyncio.TaskGroup() as tasks:
            step = tasks.create_task(following(one, 1))
            await until(lambda: app.hub.count)
            await here.store(operation("d1"))
            assert await step == ["d1"]
        await one.aclose()
        await one.aclose()
        assert [event async for event in one] == []
        await until(lambda: app.hub.count == 0)


async def test_a_step_that_is_given_up_loses_nothing() -> None:
    async with scene() as here, front(here) as app, connection(app.url) as to, events(to) as one:
        here.show_all()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(one)
        await here.store(operation("d1"))

        assert await following(one, 1) == ["d1"]


async def test_a_server_that_stays_away_is_told_by_name_and_asked_again() -> None:
    async with (
        scene() as here,
        front(here) as app,
        wire(app.url) as line,
        connection(line.url, retry_for_s=0.1) as to,
        events(to) as one,
    ):
        here.show_all()
        line.target = "http://127.0.0.1:1"
        line.cut()
        with pytest.raises(ServerUnreachableError):
            await anext(one)
        await here.store(operation("d1"))
        line.target = app.url

        assert await following(one, 1) == ["d1"]


async def test_closing_the_client_ends_a_step_by_name() -> None:
    async with (
        scene() as here,
        front(here) as app,
        connection(app.url) as to,
        events(to) as one,
        asyncio.TaskGroup() as tasks,
    ):
        step = tasks.create_task(_refused(one))
        await until(lambda: app.hub.count)
        await to.close()
        await step


async def _refused(one: Events) -> None:
    with pytest.raises(ClientClosedError):
        await anext(one)
