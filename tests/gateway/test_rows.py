"""The calls of the Python client that show users' rows."""

from __future__ import annotations

import asyncio

import pytest

from docreactor import SyncReactor
from docreactor.examples.todo import todo
from docreactor.gateway.rows import KeptReadModel, KeptRow
from docreactor.pipeline.errors import InvalidInputError, UnknownReadModelError
from tests.gateway.deployment import TODO_TYPE, one_node, several_nodes
from tests.gateway.routes.test_rows import Items

MILK = {"type": "ADD_ITEM", "input": {"text": "milk"}}


async def test_rows_are_typed_and_as_new_as_the_token() -> None:
    async with one_node(models=[todo, Items()], partitions=1) as running:
        reactor = running.reactor
        await reactor.create(TODO_TYPE, id="a", wait="read")
        job = await reactor.submit("a", MILK, wait="write")
        page = await reactor.rows("items", prefix="of/", token=job.token)
        assert page.rows == [KeptRow(key="of/a", value=["milk"], partition=0)]
        assert page.next_cursor is None
        first = await reactor.rows("items", limit=1)
        second = await reactor.rows("items", limit=1, cursor=first.next_cursor)
        assert [row.key for row in (*first.rows, *second.rows)] == ["count/milk", "of/a"]
        by_key = await reactor.rows("items", key="count/milk", document="a")
        assert [row.value for row in by_key.rows] == [1]


async def test_a_session_reads_its_writes_among_the_rows() -> None:
    async with (
        one_node(models=[todo, Items()]) as running,
        running.reactor.session() as session,
    ):
        await session.create(TODO_TYPE, id="a")
        for number in range(5):
            action = {"type": "ADD_ITEM", "input": {"text": str(number)}}
            await session.submit("a", action, wait="none")
            page = await session.rows("items", key="of/a")
            assert [row.value for row in page.rows] == [[str(at) for at in range(number + 1)]]


async def test_read_models_are_listed() -> None:
    async with one_node(models=[todo, Items()]) as running:
        listed = await running.reactor.read_models()
    names = [one.name for one in listed.read_models]
    assert names == ["documents", "items", "relationships"]
    assert all(isinstance(one, KeptReadModel) for one in listed.read_models)


async def test_what_is_refused_is_raised_by_its_name() -> None:
    async with one_node(models=[todo]) as running:
        with pytest.raises(UnknownReadModelError):
            await running.reactor.rows("items")
        with pytest.raises(InvalidInputError):
            await running.reactor.rows("documents")


async def test_they_may_block() -> None:
    def ask(url: str) -> list[object]:
        with SyncReactor(url) as reactor:
            job = reactor.create(TODO_TYPE, id="a", wait="read")
            job = reactor.submit("a", MILK, wait="write")
            return [row.value for row in reactor.rows("items", key="of/a", token=job.token).rows]

    async with several_nodes(1, models=[todo, Items()]) as (only,):
        assert await asyncio.to_thread(ask, only.node.url) == [["milk"]]
