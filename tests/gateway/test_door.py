"""What is answered before there is a node."""

from __future__ import annotations

import httpx
from starlette.types import Receive, Scope, Send

from docreactor.gateway.door import Door
from docreactor.pipeline.errors import BrokerUnreachableError, ShuttingDownError
from docreactor.pipeline.problem import problem_name


async def get(door: Door, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        return await client.get(path)


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def test_a_closed_door_lives_but_is_not_ready() -> None:
    door = Door()

    assert (await get(door, "/healthz")).status_code == 200
    for path in ("/readyz", "/v1/documents/x"):
        reply = await get(door, path)
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "1"


async def test_a_closed_door_says_why() -> None:
    door = Door()
    door.close(BrokerUnreachableError("127.0.0.1:1", waited_s=15))

    health = (await get(door, "/healthz")).json()
    assert health["status"] == "waiting" and "127.0.0.1:1" in health["reason"]
    assert problem_name((await get(door, "/readyz")).json()) == "BrokerUnreachable"


async def test_a_door_that_closes_for_good_says_that_another_node_takes_over() -> None:
    door = Door()
    door.open(behind)
    door.close(ShuttingDownError())

    reply = await get(door, "/v1/documents/x")
    assert (reply.status_code, problem_name(reply.json())) == (503, "ShuttingDown")
    assert reply.headers["retry-after"] == "1"


async def test_an_open_door_lets_everybody_in_until_it_closes() -> None:
    door = Door()
    door.open(behind)
    assert (await get(door, "/healthz")).status_code == 204

    door.close()
    assert (await get(door, "/v1/models")).status_code == 503
