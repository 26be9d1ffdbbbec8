"""How a mutation gets in when its owner is elsewhere, slow or silent."""

from __future__ import annotations

import asyncio
from typing import Any

from docreactor.gateway.reach import ANSWERED_BY
from tests.gateway.deployment import TODO_TYPE, Gate, Running, one_node, problem_of, several_nodes


def of_the_other(one: Running, other: Running) -> str:
    """A document id of a partition that the other node runs."""
    return next(
        f"d{number}"
        for number in range(100)
        if other.node.local(one.node.partition_of(f"d{number}"))
    )


async def test_a_mutation_is_appended_here_when_its_owner_does_not_answer() -> None:
    async with several_nodes(2, mute=1) as (first, mute):
        document_id = of_the_other(first, mute)
        body = {"document_type": TODO_TYPE, "id": document_id}
        reply = await first.http.post("/v1/documents", json=body)
        async with asyncio.timeout(10):
            while mute.node.positions() and not _shows(mute, document_id):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    assert (reply.status_code, reply.headers[ANSWERED_BY]) == (202, "local")


async def test_a_wait_for_a_silent_owner_ends_in_time_with_the_job() -> None:
    async with several_nodes(2, mute=1) as (first, mute):
        document_id = of_the_other(first, mute)
        body = {"document_type": TODO_TYPE, "id": document_id}
        parameters: dict[str, Any] = {"wait": "write", "timeout_ms": 200}
        reply = await first.http.post("/v1/documents", params=parameters, json=body)

    assert problem_of(reply) == (504, "JobNotReady")
    assert reply.json()["job"]["document_id"] == document_id


async def test_a_caller_that_goes_ends_its_wait() -> None:
    gate = Gate()
    async with one_node(gate) as one:
        await one.create("shop-1")
        partition = one.node.partition_of("shop-1")
        live = one.node.local(partition)
        assert live is not None
        gate.shut()
        asking = asyncio.create_task(one.http.delete("/v1/documents/shop-1?wait=read"))
        async with asyncio.timeout(10):
            while not live.consumed.waiting:  # noqa: ASYNC110  a table tells nobody
                await asyncio.sleep(0.001)
        asking.cancel()
        await asyncio.wait([asking])
        gate.open()

    assert live.consumed.waiting == 0


def _shows(running: Running, document_id: str) -> bool:
    live = running.node.local(running.node.partition_of(document_id))
    return live is not None and live.documents.header(document_id, "main") is not None
