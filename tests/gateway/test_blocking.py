"""The Python client for programs without async."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from docreactor import Reactor, SyncReactor
from docreactor.gateway.blocking import SyncSession
from docreactor.gateway.session import Session
from docreactor.pipeline.errors import ClientClosedError, DocumentNotFoundError
from tests.gateway.deployment import TODO_TYPE, several_nodes
from tests.support.nodes import live, until


async def test_each_call_blocks_until_its_answer() -> None:
    def ask(url: str) -> object:
        with SyncReactor(url) as reactor:
            job = reactor.create(TODO_TYPE, id="shop-1", wait="read")
            assert reactor.wait(job.id).status == job.status
            with pytest.raises(DocumentNotFoundError):
                reactor.get("nobody")
            return reactor.get("shop-1").state["global"]

    async with several_nodes(1) as (only,):
        shown = await asyncio.to_thread(ask, str(only.http.base_url))

    assert shown == {"items": [], "completed": []}


@pytest.mark.parametrize(("blocking", "other"), [(SyncReactor, Reactor), (SyncSession, Session)])
def test_it_has_every_call_of_the_other(blocking: type, other: type) -> None:
    calls = [
        name
        for name, _ in inspect.getmembers(other, inspect.iscoroutinefunction)
        if not name.startswith("_")
    ]

    assert len(calls) > 20
    for name in calls:
        mirrored = getattr(blocking, name)
        assert inspect.getdoc(mirrored), name
        assert not inspect.iscoroutinefunction(mirrored), name
        asked = [
            list(inspect.signature(one).parameters) for one in (mirrored, getattr(other, name))
        ]
        assert asked[0] == asked[1], name


async def test_a_session_reads_its_writes_and_tells_its_token() -> None:
    action = {"type": "ADD_ITEM", "input": {"text": "Milk"}}

    def ask(url: str) -> object:
        with SyncReactor(url) as reactor, reactor.session() as session:
            session.create(TODO_TYPE, id="shop-1")
            session.submit("shop-1", action, wait="none")
            shown = session.get("shop-1").state["global"]["items"]
            assert session.settled() == session.token
            assert session.wait_for(model="documents").token == session.token
            with reactor.session(token=session.token) as other:
                assert other.get("shop-1").state["global"]["items"] == shown
            return shown

    async with several_nodes(1) as (only,):
        assert await asyncio.to_thread(ask, str(only.http.base_url)) == ["Milk"]


async def test_closing_it_ends_the_calls_of_other_threads_by_name() -> None:
    action = {"type": "ADD_ITEM", "input": {"text": "Milk"}}
    async with several_nodes(1) as (only,):
        await only.create("shop-1")
        job = await only.reactor.submit("shop-1", action, depends_on=["nobody-0"])
        waiting = live(only.node, only.node.partition_of("shop-1")).released
        with SyncReactor(only.node.url) as reactor:
            other = asyncio.create_task(asyncio.to_thread(reactor.wait, job))
            await until(lambda: waiting.waiting == 1)
        with pytest.raises(ClientClosedError):
            await other


def test_outside_of_with_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="SyncReactor in a with statement"):
        SyncReactor().models()
    with SyncReactor() as reactor:
        session = SyncSession(reactor.reactor.session(), reactor.portal)
        with pytest.raises(RuntimeError, match="SyncSession in a with statement"):
            session.models()
