"""Deployments to ask: real nodes over one log in memory, each with its application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from docreactor.agents.log.memory_transactor import Hook
from docreactor.agents.node import Node, Place, open_node
from docreactor.agents.shelf import OpenStore
from docreactor.examples.text import text
from docreactor.examples.todo import todo
from docreactor.gateway.app import create_app
from docreactor.gateway.client import Reactor
from docreactor.gateway.server import Listener, listen, serving
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.spec import Model
from docreactor.tables.memory import MemoryStore
from tests.support.nodes import LOG_ID, Site

TODO_TYPE = "example/todo"


def site(*, models: Sequence[Model] = (todo, text), **chosen: Any) -> Site:
    """What one broker in memory can keep."""
    configured = Settings(replication_factor=1, min_insync_replicas=1, **chosen)
    return Site(configured, models=models)


@dataclass(frozen=True, slots=True)
class Running:
    """One node, and two ways to ask it."""

    node: Node
    http: httpx.AsyncClient
    reactor: Reactor

    async def create(self, document_id: str, **fields: Any) -> dict[str, Any]:
        """A todo that reads show; its job."""
        body = {"document_type": TODO_TYPE, "id": document_id, **fields}
        reply = await self.http.post("/v1/documents?wait=read", json=body)
        assert reply.status_code == 200, reply.text
        job: dict[str, Any] = reply.json()
        return job

    async def add(self, document_id: str, *texts: str, wait: str = "read") -> dict[str, Any]:
        """Items on a todo, one job; the job."""
        actions = [{"type": "ADD_ITEM", "input": {"text": one}} for one in texts]
        reply = await self.http.post(
            f"/v1/documents/{document_id}/actions", params={"wait": wait}, json={"actions": actions}
        )
        assert reply.status_code == 200, reply.text
        job: dict[str, Any] = reply.json()
        return job


class Gate:
    """A hook that holds back what reducers write while it is shut."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._left = 0

    async def __call__(self, step: str) -> None:
        if step == "send" and self._left:
            self._left -= 1
        elif step == "send":
            await self._open.wait()

    def shut(self, *, after: int = 0) -> None:
        """Let nothing be written, but for so many transactions: one enqueues several jobs."""
        self._left = after
        self._open.clear()

    def open(self) -> None:
        """Let everything be written."""
        self._left = 0
        self._open.set()


def problem_of(reply: httpx.Response) -> tuple[int, str]:
    """The status and the name of a refusal, which must be a problem document."""
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    document = reply.json()
    assert document["status"] == reply.status_code
    assert document["type"].rpartition("/")[2] == document["title"]
    return reply.status_code, document["title"]


@asynccontextmanager
async def one_node(hook: Hook | None = None, **chosen: Any) -> AsyncGenerator[Running]:
    """A node that runs every partition, asked without a socket."""
    async with AsyncExitStack() as resources:
        node = await resources.enter_async_context(_node(site(**chosen), "http://node", hook))
        app = create_app(node)
        await resources.enter_async_context(app.router.lifespan_context(app))
        await _until(lambda: _serves_all(node))
        yield await _asked(resources, node, lambda: httpx.ASGITransport(app=app), "http://node")


@asynccontextmanager
async def several_nodes(
    count: int,
    *,
    mute: int | None = None,
    gateways: int = 0,
    open_store: OpenStore = lambda _: MemoryStore(),
    **chosen: Any,
) -> AsyncGenerator[list[Running]]:
    """Nodes that share the partitions, each behind a socket of its own; `mute` refuses calls.

    Behind them come those that are gateways alone.
    """
    async with AsyncExitStack() as resources:
        place = site(**chosen)
        nodes: list[tuple[Node, Listener]] = []
        for number in range(count + gateways):
            listener = listen("127.0.0.1", 0, None)
            resources.enter_context(listener.socket)
            node = await resources.enter_async_context(
                _node(place, listener.url, open_store=open_store, is_gateway_only=number >= count)
            )
            app = create_app(node)
            await resources.enter_async_context(app.router.lifespan_context(app))
            if number == mute:
                listener.socket.close()
            else:
                await resources.enter_async_context(serving(app, listener))
            nodes.append((node, listener))
        every = [node for node, _ in nodes]
        await _until(lambda: _shared(every, every[:count]))
        yield [
            await _asked(resources, node, httpx.AsyncHTTPTransport, listener.url)
            for node, listener in nodes
        ]


async def _asked(
    resources: AsyncExitStack,
    node: Node,
    transport: Callable[[], httpx.AsyncBaseTransport],
    url: str,
) -> Running:
    token = node.settings.http_token
    bearer = None if token is None else token.get_secret_value()
    headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
    http = httpx.AsyncClient(transport=transport(), base_url=url, headers=headers)
    reactor = Reactor(url, token=bearer, retry_for_s=5, transport=transport())
    await resources.enter_async_context(http)
    await resources.enter_async_context(reactor)
    return Running(node, http, reactor)


@asynccontextmanager
async def _node(
    site: Site,
    url: str,
    hook: Hook | None = None,
    *,
    open_store: OpenStore = lambda _: MemoryStore(),
    is_gateway_only: bool = False,
) -> AsyncGenerator[Node]:
    place = Place.here(open_store, url)
    registry = Registry(list(site.models))
    async with open_node(
        site.log(hook),
        registry,
        site.settings,
        log_id=LOG_ID,
        place=place,
        is_gateway_only=is_gateway_only,
    ) as node:
        yield node


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  a node tells nobody
            await asyncio.sleep(0.002)


def _serves_all(node: Node) -> bool:
    return all(node.local(partition) for partition in range(node.partition_count))


def _shared(nodes: list[Node], workers: list[Node]) -> bool:
    """Every partition serves at the node that all take for its owner, and each worker has some."""
    for partition in range(nodes[0].partition_count):
        owners = {node.owner(partition) for node in nodes}
        serving_at = {node.url for node in workers if node.local(partition)}
        if len(owners) != 1 or owners != serving_at:
            return False
    return all(any(node.local(one) for one in range(node.partition_count)) for node in workers)
