"""What a program wants to be called with when something happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from docreactor.gateway.answers import Document
from docreactor.gateway.events.answers import AnyEvent, DocumentEvent
from docreactor.gateway.events.callbacks import Callbacks, ErrorHandler
from docreactor.pipeline.errors import CallbackFailedError
from tests.gateway.deployment import TODO_TYPE, Running, several_nodes
from tests.support.nodes import until

ITEM = {"type": "ADD_ITEM", "input": {"text": "Milk"}}


class Spoiled(Exception):
    """What a callback of these tests fails with."""


@asynccontextmanager
async def running(
    one: Running, on_error: ErrorHandler | None = None
) -> AsyncGenerator[tuple[Callbacks, list[str]]]:
    """Callbacks that run, and a list for what they do."""
    async with one.reactor.subscribe(on_error=on_error) as callbacks:
        task = asyncio.ensure_future(callbacks.run())
        try:
            yield callbacks, []
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def event(document_id: str = "d1") -> AnyEvent:
    return DocumentEvent(
        event="document.created",
        cursor="c",
        document_id=document_id,
        document_type=TODO_TYPE,
        branch="main",
        scopes=[],
        token="",
    )


async def test_a_creation_is_told_once_and_is_no_update_in_its_batch() -> None:
    async with several_nodes(1) as (one,), running(one) as (callbacks, seen):
        callbacks.on_document_created(lambda event: seen.append(f"created {event.document_id}"))
        callbacks.on_document_updated(lambda event, _: seen.append(f"updated {event.document_id}"))
        callbacks.on_document_deleted(lambda event: seen.append(f"deleted {event.document_id}"))
        callbacks.on_relationship_changed(lambda event: seen.append(f"{event.change}"))
        await one.reactor.create(TODO_TYPE, id="shop-1", wait="read")
        await one.reactor.submit("shop-1", [ITEM, ITEM], wait="read")
        await until(lambda: len(seen) == 2)
        await one.reactor.relate("shop-1", "shop-2", "knows", wait="read")
        await one.reactor.delete("shop-1")
        await until(lambda: "deleted shop-1" in seen and "added" in seen)

    assert seen[:2] == ["created shop-1", "updated shop-1"]


async def test_inside_of_a_callback_reads_are_fresh() -> None:
    shown: list[int] = []
    async with several_nodes(2, partitions=4) as (here, there), running(there) as (callbacks, _):

        async def look(event: DocumentEvent) -> None:
            document = await there.reactor.get(event.document_id, token=event.token, timeout_ms=0)
            shown.append(len(document.state["global"]["items"]))

        def took(_: DocumentEvent, document: Document) -> None:
            shown.append(len(document.state["global"]["items"]))

        callbacks.on_document_created(look)
        callbacks.on_document_updated(took)
        for number in range(8):
            await here.reactor.create(TODO_TYPE, id=f"shop-{number}")
        await until(lambda: len(shown) == 8)
        for number in range(8):
            await here.reactor.submit(f"shop-{number}", ITEM)
        await until(lambda: len(shown) == 16)

    assert shown == [0] * 8 + [1] * 8


async def test_a_callback_that_fails_keeps_no_other_from_being_called() -> None:
    failed: list[CallbackFailedError] = []
    async with several_nodes(1) as (one,), running(one, failed.append) as (callbacks, seen):

        async def spoil(event: DocumentEvent) -> None:
            raise Spoiled(event.document_id)

        callbacks.on_document_created(spoil)
        callbacks.on_document_created(lambda event: seen.append(event.document_id))
        await one.reactor.create(TODO_TYPE, id="shop-1")
        await one.reactor.create(TODO_TYPE, id="shop-2")
        await until(lambda: len(seen) == 2 and len(failed) == 2)

    assert sorted(seen) == ["shop-1", "shop-2"]
    assert [failure.facts["event_type"] for failure in failed] == ["document.created"] * 2
    assert {failure.facts["subscription_id"] for failure in failed} == {"document.created/1"}
    assert sorted(failure.facts["event"]["document_id"] for failure in failed) == sorted(seen)
    assert all(isinstance(failure.__cause__, Spoiled) for failure in failed)


async def test_without_an_error_handler_all_that_failed_is_raised_when_all_have_run() -> None:
    seen: list[str] = []

    def spoil(event: DocumentEvent) -> None:
        raise Spoiled(event.document_id)

    async with several_nodes(1) as (one,), one.reactor.subscribe() as callbacks:
        for _ in range(2):
            callbacks.on_document_created(spoil)
        callbacks.on_document_created(lambda event: seen.append(event.document_id))
        await one.reactor.create(TODO_TYPE, id="shop-1")
        failure: ExceptionGroup[CallbackFailedError] | None = None
        try:
            async with asyncio.timeout(10):
                await callbacks.run()
        except* CallbackFailedError as errors:
            failure = errors
        assert callbacks.cursor is not None

    assert seen == ["shop-1"]
    assert failure is not None
    assert [one.facts["subscription_id"] for one in _flat(failure)] == [
        "document.created/1",
        "document.created/2",
    ]


def _flat(group: ExceptionGroup[CallbackFailedError]) -> list[CallbackFailedError]:
    found: list[CallbackFailedError] = []
    for one in group.exceptions:
        found += _flat(one) if isinstance(one, ExceptionGroup) else [one]
    return found


async def test_unsubscribing_ends_one_callback_however_often_it_is_called() -> None:
    async with several_nodes(1) as (one,), one.reactor.subscribe() as callbacks:
        seen: list[str] = []
        first = callbacks.on_document_created(lambda _: seen.append("first"))
        second = callbacks.on_document_created(lambda _: seen.append("second"))
        await callbacks.tell(event())
        first()
        first()
        await callbacks.tell(event())
        second()
        await callbacks.tell(event())

    assert seen == ["first", "second", "second"]


async def test_a_callback_may_unsubscribe_itself_and_those_after_it() -> None:
    async with several_nodes(1) as (one,), one.reactor.subscribe() as callbacks:
        seen: list[str] = []

        def once(_: DocumentEvent) -> None:
            seen.append("once")
            leave()
            leave_too()

        leave = callbacks.on_document_created(once)
        leave_too = callbacks.on_document_created(lambda _: seen.append("never"))
        await callbacks.tell(event())
        await callbacks.tell(event())

    assert seen == ["once"]


async def test_a_document_that_is_gone_by_then_is_left_out_of_its_updates() -> None:
    async with several_nodes(1) as (one,), one.reactor.subscribe() as callbacks:
        seen: list[str] = []
        callbacks.on_document_updated(lambda event, _: seen.append(event.event))
        callbacks.on_document_deleted(lambda event: seen.append(event.event))
        await one.create("shop-1")
        await one.add("shop-1", "Milk")
        await one.reactor.delete("shop-1", wait="read")
        task = asyncio.ensure_future(callbacks.run())
        await until(lambda: "document.deleted" in seen)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert seen == ["document.deleted"]


async def test_where_no_document_can_be_had_every_callback_has_failed() -> None:
    failed: list[CallbackFailedError] = []
    async with several_nodes(1) as (one,), one.reactor.subscribe(on_error=failed.append) as it:
        for _ in range(2):
            it.on_document_updated(lambda event, _: None)
        update = event().model_copy(update={"event": "document.updated", "token": "nonsense"})

        await it.tell(update)

    assert [failure.facts["subscription_id"] for failure in failed] == [
        "document.updated/1",
        "document.updated/2",
    ]
