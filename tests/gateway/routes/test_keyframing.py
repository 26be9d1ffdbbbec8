"""Keyframes are made again over HTTP, by the owner, whoever is asked."""

from __future__ import annotations

from typing import Any

from tests.gateway.deployment import one_node, problem_of, several_nodes

POLICY: dict[str, Any] = {"keyframe_policy": "fixed", "keyframe_interval": 2}


async def test_a_documents_keyframes_are_counted() -> None:
    async with one_node(**POLICY) as running:
        await running.create("d")
        await running.add("d", *"abcdefg")

        reply = await running.http.post("/v1/documents/d/keyframes")

        assert reply.status_code == 200, reply.text
        assert reply.json() == {
            "documents": 1,
            "removed": 3,
            "stored": 3,
            "findings": [],
            "next_cursor": None,
        }
        assert (await running.reactor.verify("d")).findings == []


async def test_a_document_that_does_not_exist_is_not_found() -> None:
    async with one_node() as running:
        reply = await running.http.post("/v1/documents/nobody/keyframes")

    assert problem_of(reply) == (404, "DocumentNotFound")


async def test_every_partition_is_reached_from_any_node() -> None:
    async with several_nodes(2, partitions=4, **POLICY) as nodes:
        for number in range(8):
            await nodes[0].create(f"d{number}")
            await nodes[0].add(f"d{number}", *"abcde")
        stored, documents = 0, 0
        for partition in range(4):
            page = await nodes[1].reactor.make_keyframes_of_partition(partition, limit=1)
            while True:
                stored, documents = stored + page.stored, documents + page.documents
                if page.next_cursor is None:
                    break
                page = await nodes[1].reactor.make_keyframes_of_partition(
                    partition, cursor=page.next_cursor
                )

    assert (documents, stored) == (8, 16)


async def test_a_partition_that_does_not_exist_is_refused() -> None:
    async with one_node(partitions=2) as running:
        reply = await running.http.post("/v1/keyframes", params={"partition": 2})

    assert problem_of(reply) == (422, "InvalidInput")
