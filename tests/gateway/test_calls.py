"""Whether the clients can ask all that can be asked over HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from docreactor import Reactor, SyncReactor
from docreactor.gateway.app import create_app
from docreactor.gateway.calls import Calls
from docreactor.gateway.events.blocking import SyncEvents
from docreactor.gateway.reply import refuse
from docreactor.pipeline.errors import JobNotFoundError
from docreactor.pipeline.job import JobStatus
from tests.gateway.deployment import Running
from tests.support.nodes import LOG_ID

COORDINATE = {"document_id": "d1", "operation_index": 0}


def opened(events: Any) -> Any:
    """A stream of events, begun in the way of its client."""
    return events.__enter__() if isinstance(events, SyncEvents) else events.__aenter__()


CALLS: Mapping[str, Callable[[Any], Any]] = {
    "POST /v1/documents": lambda calls: calls.create("example/todo"),
    "GET /v1/documents": lambda calls: calls.find(ids=["d1"]),
    "GET /v1/documents/{identifier}": lambda calls: calls.get("d1"),
    "GET /v1/documents/{document_id}/branches": lambda calls: calls.branches("d1"),
    "GET /v1/exists": lambda calls: calls.exists(["d1"]),
    "GET /v1/slugs": lambda calls: calls.slugs(["s1"]),
    "DELETE /v1/documents/{document_id}": lambda calls: calls.delete("d1", cascade="edges"),
    "POST /v1/documents/{document_id}/actions": lambda calls: calls.submit("d1", []),
    "POST /v1/documents/{document_id}/operations": lambda calls: calls.load("d1", []),
    "GET /v1/documents/{document_id}/operations": lambda calls: calls.history("d1"),
    "POST /v1/documents/{document_id}/erase": lambda calls: calls.erase("d1"),
    "POST /v1/documents/{document_id}/relationships": lambda calls: calls.relate("d1", "d2", "a"),
    "PATCH /v1/documents/{document_id}/relationships": lambda calls: calls.update_relationship(
        "d1", "d2", "a"
    ),
    "DELETE /v1/documents/{document_id}/relationships": lambda calls: calls.unrelate(
        "d1", "d2", "a"
    ),
    "POST /v1/documents/{document_id}/children": lambda calls: calls.add_children("d1", ["d2"]),
    "DELETE /v1/documents/{document_id}/children": lambda calls: calls.remove_children(
        "d1", ["d2"]
    ),
    "GET /v1/documents/{document_id}/relationships": lambda calls: calls.relationships("d1"),
    "GET /v1/graph/path": lambda calls: calls.path("d1", "d2"),
    "GET /v1/graph/ancestors": lambda calls: calls.ancestors("d1"),
    "GET /v1/graph/has": lambda calls: calls.has_relationship("d1", "d2"),
    "GET /v1/graph/types": lambda calls: calls.relationship_types(),
    "GET /v1/graph/orphans": lambda calls: calls.orphans(["d1"]),
    "GET /v1/graph/children": lambda calls: calls.children("d1"),
    "GET /v1/graph/parents": lambda calls: calls.parents("d1"),
    "POST /v1/documents/{document_id}/verify": lambda calls: calls.verify("d1"),
    "POST /v1/verify": lambda calls: calls.verify_partition(0),
    "POST /v1/documents/{document_id}/keyframes": lambda calls: calls.make_keyframes("d1"),
    "POST /v1/keyframes": lambda calls: calls.make_keyframes_of_partition(0),
    "POST /v1/batches": lambda calls: calls.batch([]),
    "GET /v1/jobs/{job_id}": lambda calls: calls.wait("j1"),
    "POST /v1/jobs/{job_id}/cancel": lambda calls: calls.cancel("j1"),
    "GET /v1/positions": lambda calls: calls.positions(),
    "POST /v1/positions/wait": lambda calls: calls.wait_for(coordinates=COORDINATE),
    "POST /v1/positions/resolve": lambda calls: calls.resolve([COORDINATE]),
    "GET /v1/events": lambda calls: opened(calls.events()),
    "GET /v1/read-models": lambda calls: calls.read_models(),
    "GET /v1/read-models/{name}/rows": lambda calls: calls.rows("m"),
    "POST /v1/read-models/{name}/rebuild": lambda calls: calls.rebuild("m"),
    "POST /v1/read-models/{name}/roll-back": lambda calls: calls.roll_back("m"),
    "POST /v1/read-models/{name}/finish": lambda calls: calls.finish("m"),
    "POST /v1/read-models/{name}/retire": lambda calls: calls.retire("m"),
    "POST /v1/read-models/{name}/revive": lambda calls: calls.revive("m"),
    "POST /v1/read-models/{name}/replay": lambda calls: calls.replay_partition("m", 0),
    "GET /v1/quarantine": lambda calls: calls.quarantine(),
    "POST /v1/quarantine/{model}/{document_id}/retry": lambda calls: calls.retry_quarantined(
        "m", "d1"
    ),
    "POST /v1/quarantine/{model}/{document_id}/clear": lambda calls: calls.clear_quarantined(
        "m", "d1"
    ),
    "GET /v1/models": lambda calls: calls.models(),
    "GET /healthz": lambda calls: calls.health(),
    "GET /readyz": lambda calls: calls.readiness(),
    "GET /metrics": lambda calls: calls.metrics(),
}


class Refusing(httpx.AsyncBaseTransport):
    """A server that takes note of each request and refuses it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tokens: list[str | None] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        self.tokens.append(request.url.params.get("token"))
        refusal = refuse(JobNotFoundError("j1"))
        headers = dict(refusal.headers)
        return httpx.Response(refusal.status_code, content=bytes(refusal.body), headers=headers)


def is_at(asked: str, call: str) -> bool:
    """Whether a request is the call of this method and path."""
    return (
        re.fullmatch(re.sub(r"{\w+}", "[^/]+", re.escape(call).replace("\\", "")), asked)
        is not None
    )


async def test_there_is_a_call_for_each_of_http(one: Running) -> None:
    described = create_app(one.node).openapi()["paths"]
    offered = {
        f"{method.upper()} {path}" for path, methods in described.items() for method in methods
    }

    assert set(CALLS) == offered, "the clients ask what HTTP offers: add the call, and a line here"


@pytest.mark.parametrize("call", CALLS)
async def test_the_async_client_asks_it(call: str) -> None:
    server = Refusing()
    async with Reactor(transport=server) as reactor:
        asking: Awaitable[object] = CALLS[call](reactor)
        with pytest.raises(JobNotFoundError):
            await asking

    assert is_at(server.asked[0], call)


async def test_the_blocking_client_asks_it_too() -> None:
    server = Refusing()

    def ask() -> None:
        with SyncReactor(transport=server) as reactor:
            for call in CALLS.values():
                with pytest.raises(JobNotFoundError):
                    call(reactor)

    await asyncio.to_thread(ask)

    assert all(map(is_at, server.asked, CALLS))


@pytest.mark.parametrize("call", CALLS)
async def test_a_session_asks_it_too(call: str) -> None:
    server = Refusing()
    async with Reactor(transport=server) as reactor, reactor.session() as session:
        asking: Awaitable[object] = CALLS[call](session)
        with pytest.raises(JobNotFoundError):
            await asking

    assert is_at(server.asked[0], call)


async def test_a_session_says_what_it_wrote_wherever_that_can_be_said(one: Running) -> None:
    described = create_app(one.node).openapi()["paths"]
    token, silent = f"{LOG_ID}.0-7", set[str]()
    for call, ask in CALLS.items():
        method, path = call.split()
        given = described[path][method.lower()].get("parameters", ())
        server = Refusing()
        async with Reactor(transport=server) as reactor, reactor.session(token=token) as session:
            with pytest.raises(JobNotFoundError):
                await ask(session)
        if "token" in {one["name"] for one in given} and server.tokens != [token]:
            silent.add(call)

    assert not silent, "name `token` among the parameters of the call, also where it is None"


async def test_an_upgrade_is_a_read_and_a_change(one: Running) -> None:
    calls: Calls = one.reactor
    job = await calls.create("example/todo", id="shop-1", wait="read")

    same = await calls.upgrade("shop-1", 1, token=job.token, wait="read")

    assert same.status is JobStatus.READ_READY
