"""Which position shows operations that are given by their places."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.requests import Request

from docreactor.gateway.coordinates import Coordinate
from docreactor.gateway.reach import Reach
from docreactor.gateway.resolving import Resolver
from docreactor.pipeline.errors import NotYetVisibleError
from docreactor.pipeline.position import Partition, Position
from tests.gateway.deployment import Running, several_nodes
from tests.support.nodes import LOG_ID, live


def request() -> Request:
    """A caller's own, which stays."""

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": b"/v1/positions/wait",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "state": {},
    }
    return Request(scope, receive)


def place_of(document_id: str, index: int = 0) -> Coordinate:
    return Coordinate(document_id=document_id, operation_index=index)


@pytest.fixture
async def resolver(one: Running) -> AsyncGenerator[Resolver]:
    reach = Reach(one.node)
    yield Resolver(reach)
    await reach.close()


async def test_nothing_is_nowhere(resolver: Resolver) -> None:
    position = await resolver.position(request(), [], timeout_s=0)

    assert position == Position(LOG_ID, {})


async def test_what_is_stored_is_covered_at_once(one: Running, resolver: Resolver) -> None:
    await one.create("shop-1")
    job = await one.add("shop-1", "Milk", "Bread", wait="write")

    position = await resolver.position(
        request(), [place_of("shop-1", index) for index in (0, 1, 1)], timeout_s=0
    )

    assert position.reached(Position.parse(job["token"], log_id=LOG_ID))


async def test_it_never_asks_for_more_than_can_be_shown(one: Running, resolver: Resolver) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk")
    position = await resolver.position(request(), [place_of("shop-1")], timeout_s=0)

    partition = one.node.partition_of("shop-1")
    await live(one.node, partition).wait_view(position, 10)
    assert position.next_offsets.keys() == {Partition(partition)}


async def test_what_comes_while_it_waits_is_covered(one: Running, resolver: Resolver) -> None:
    job = await one.create("shop-1")
    asking = asyncio.create_task(
        resolver.position(request(), [place_of("shop-1", 19)], timeout_s=20)
    )
    for number in range(20):
        job = await one.add("shop-1", str(number), wait="write")

    assert (await asking).reached(Position.parse(job["token"], log_id=LOG_ID))


async def test_what_does_not_come_is_told_by_its_place(resolver: Resolver) -> None:
    with pytest.raises(NotYetVisibleError) as late:
        await resolver.position(request(), [place_of("nobody", 3)], timeout_s=0.02)

    assert late.value.facts["wanted"] == "nobody/global/main/3"


async def test_owners_elsewhere_are_asked() -> None:
    async with several_nodes(2) as (first, second):
        reach = Reach(first.node)
        resolver = Resolver(reach)
        ids = [f"d{number}" for number in range(8)]
        for document_id in ids:
            await second.create(document_id)
            await second.add(document_id, "Milk", wait="write")
        position = await resolver.position(request(), list(map(place_of, ids)), timeout_s=10)
        with pytest.raises(NotYetVisibleError):
            wanted = [place_of(document_id, 1) for document_id in ids]
            await resolver.position(request(), wanted, timeout_s=0.02)
        await reach.close()

    partitions = {first.node.partition_of(document_id) for document_id in ids}
    assert position.next_offsets.keys() == partitions
