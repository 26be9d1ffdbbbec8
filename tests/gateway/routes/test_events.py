"""The call that tells of what happens, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from docreactor.gateway.events.answers import AnyEvent, DocumentEvent, RelationshipEvent
from docreactor.gateway.events.following import Events
from docreactor.pipeline.errors import InvalidInputError, TokenOfAnotherLogError
from tests.gateway.deployment import TODO_TYPE, Running, problem_of, several_nodes

ITEM = {"type": "ADD_ITEM", "input": {"text": "Milk"}}


async def told(events: Events, count: int) -> list[AnyEvent]:
    """The next events."""
    async with asyncio.timeout(20):
        return [await anext(events) for _ in range(count)]


def said(found: list[AnyEvent]) -> list[str]:
    return [
        f"{one.event} {one.document_id if isinstance(one, DocumentEvent) else one.source_id}"
        for one in found
    ]


async def test_a_document_is_told_of_from_its_creation_to_its_end() -> None:
    async with several_nodes(1) as (one,), one.reactor.events() as events:
        await one.reactor.create(TODO_TYPE, id="shop-1")
        await one.reactor.submit("shop-1", ITEM)
        await one.reactor.delete("shop-1")
        await one.reactor.erase("shop-1")

        created, updated, deleted, erased = await told(events, 4)

    assert [one.event for one in (created, updated, deleted, erased)] == [
        "document.created",
        "document.updated",
        "document.deleted",
        "document.deleted",
    ]
    assert isinstance(updated, DocumentEvent)
    assert (updated.document_type, updated.branch) == (TODO_TYPE, "main")
    assert updated.scopes == ["global"]
    assert isinstance(erased, DocumentEvent)
    assert (erased.erased, erased.document_type) == (True, None)


async def test_relationships_are_told_of_as_they_come_change_and_go() -> None:
    async with (
        several_nodes(1) as (one,),
        one.reactor.events(events="relationship.changed") as events,
    ):
        await one.create("a")
        await one.reactor.relate("a", "b", "knows")
        await one.reactor.update_relationship("a", "b", "knows", metadata={"since": 2024})
        await one.reactor.undo("a", scope="document")
        await one.reactor.unrelate("a", "b", "knows")

        found = await told(events, 4)

    edges = [one for one in found if isinstance(one, RelationshipEvent)]
    assert [one.change for one in edges] == ["added", "updated", "updated", "removed"]
    assert {(one.source_id, one.target_id, one.type, one.branch) for one in edges} == {
        ("a", "b", "knows", "main")
    }


async def test_what_an_event_tells_of_is_shown_by_a_read_with_its_token_on_any_node() -> None:
    async with (
        several_nodes(2, gateways=1, partitions=4) as (here, there, gateway),
        gateway.reactor.events() as events,
    ):
        for number in range(8):
            await here.reactor.create(TODO_TYPE, id=f"shop-{number}")
            await here.reactor.submit(f"shop-{number}", ITEM)
        for event in await told(events, 16):
            assert isinstance(event, DocumentEvent)
            for node in (here, there, gateway):
                shown = await node.reactor.get(event.document_id, token=event.token, timeout_ms=0)
                if event.event == "document.updated":
                    assert len(shown.state["global"]["items"]) == 1


async def test_every_filter_narrows_and_several_values_are_alternatives() -> None:
    async with several_nodes(1) as (one,):
        reactor = one.reactor
        async with (
            reactor.events(events=["document.created"], id=["a", "b"]) as by_id,
            reactor.events(type="example/text") as by_type,
            reactor.events(branch="draft") as by_branch,
            reactor.events(scope="document") as by_scope,
        ):
            await reactor.create(TODO_TYPE, id="a")
            await reactor.create(TODO_TYPE, id="d", branch="draft")
            await reactor.create("example/text", id="t")
            await reactor.submit("a", ITEM)
            await reactor.create(TODO_TYPE, id="b")

            assert said(await told(by_id, 2)) == ["document.created a", "document.created b"]
            assert said(await told(by_type, 1)) == ["document.created t"]
            assert said(await told(by_branch, 1)) == ["document.created d"]
            assert sorted(said(await told(by_scope, 4))) == sorted(
                f"document.created {one}" for one in "adtb"
            )


async def test_with_a_parent_only_its_children_are_told_of_those_just_made_too() -> None:
    async with several_nodes(2, gateways=1, partitions=4) as (here, _, gateway):
        await here.create("folder")
        async with gateway.reactor.events(parent="folder") as events:
            for number in range(6):
                await here.reactor.create(TODO_TYPE, id=f"other-{number}")
                await here.reactor.create(TODO_TYPE, id=f"child-{number}", parent="folder")
                await here.reactor.submit(f"child-{number}", ITEM)
            found = said(await told(events, 18))

    assert sorted(found) == sorted(
        [f"document.created child-{number}" for number in range(6)]
        + [f"document.updated child-{number}" for number in range(6)]
        + ["relationship.changed folder"] * 6
    )


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda one: one.reactor.events(events="document.moved"), InvalidInputError),
        (lambda one: one.reactor.events(parent="a/b"), InvalidInputError),
        (lambda one: one.reactor.events(cursor="nonsense"), InvalidInputError),
        (lambda one: one.reactor.events(cursor="f" * 32 + ".1-1"), TokenOfAnotherLogError),
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused_by_name(
    ask: Callable[[Running], Events], named: type[Exception]
) -> None:
    async with several_nodes(1) as (one,):
        with pytest.raises(named):
            await anext(ask(one))
        reply = await one.http.get("/v1/events", params={"mood": "good"})
        assert problem_of(reply) == (422, "InvalidInput")


async def test_nobody_without_the_token_is_told() -> None:
    async with several_nodes(1, http_token="secret") as (one,):
        reply = await one.http.get("/v1/events", headers={"authorization": "Bearer other"})
        assert problem_of(reply) == (401, "Unauthorized")


async def test_the_figures_count_subscribers_and_what_they_are_sent() -> None:
    async with several_nodes(1) as (one,):
        async with one.reactor.events() as events:
            await one.create("shop-1")
            await told(events, 1)
            figures = (await one.http.get("/metrics")).text
            assert "docreactor_event_subscribers 1.0" in figures
            assert 'docreactor_events_total{event="document.created"} 1.0' in figures
            assert "docreactor_event_overflows_total 0.0" in figures

        async def left() -> bool:
            return "docreactor_event_subscribers 0.0" in (await one.http.get("/metrics")).text

        async with asyncio.timeout(10):
            while not await left():
                pass


async def test_it_is_described_as_a_stream() -> None:
    async with several_nodes(1) as (one,):
        call = (await one.http.get("/openapi.json")).json()["paths"]["/v1/events"]["get"]

    assert list(call["responses"]["200"]["content"]) == ["text/event-stream"]
    assert {one["name"] for one in call["parameters"]} == {
        "events",
        "type",
        "id",
        "parent",
        "branch",
        "scope",
        "last-event-id",
    }
