"""How far everything is, and waiting until it is further, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from docreactor.agents.node import Node
from docreactor.gateway.app import create_app
from docreactor.gateway.reach import ANSWERED_BY, POSITION
from docreactor.pipeline.position import Offset, Partition, Position
from tests.gateway.deployment import (
    TODO_TYPE,
    Gate,
    Running,
    one_node,
    problem_of,
    several_nodes,
    site,
)
from tests.support.nodes import LOG_ID, live, until

WAIT = "/v1/positions/wait"
RESOLVE = "/v1/positions/resolve"


def place_of(document_id: str, index: int, scope: str = "global") -> dict[str, Any]:
    """The coordinate of an operation."""
    return {
        "document_id": document_id,
        "scope": scope,
        "branch": "main",
        "operation_index": index,
    }


async def wait_for(http: httpx.AsyncClient, timeout_ms: int = 30_000, **wanted: Any) -> Any:
    """What was shown; all that was asked for must be."""
    reply = await http.post(WAIT, json={"timeout_ms": timeout_ms, **wanted})
    assert reply.status_code == 200, reply.text
    return reply.json()


@asynccontextmanager
async def asked(node: Node) -> AsyncGenerator[httpx.AsyncClient]:
    """A way to ask a node without a socket."""
    app = create_app(node)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://node") as http,
    ):
        yield http


async def test_positions_tell_reducer_and_view_of_every_partition(one: Running) -> None:
    reply = await one.http.get("/v1/positions")

    rows = reply.json()["positions"]
    told = {(row["kind"], row["name"], row["partition"]) for row in rows}
    for partition in range(one.node.partition_count):
        assert {("reducer", "reducer", partition), ("view", "documents", partition)} <= told
    assert {row["url"] for row in rows} == {"http://node"}
    assert reply.headers[ANSWERED_BY] == "local"


async def test_positions_tell_what_is_ready_and_which_models_are_waited_for(one: Running) -> None:
    job = await one.create("shop-1")
    partition = str(one.node.partition_of("shop-1"))

    told = (await one.http.get("/v1/positions")).json()

    token = Position.parse(job["token"], log_id=LOG_ID)
    assert told["ready"][partition] >= token.next_offsets[Partition(int(partition))]
    assert "documents" in told["required"]


async def test_positions_are_narrowed_by_model_and_partition(one: Running) -> None:
    await one.create("shop-1")
    here = one.node.partition_of("shop-1")

    of_model = (await one.http.get("/v1/positions?model=documents")).json()["positions"]
    of_partition = (await one.http.get(f"/v1/positions?partition={here}")).json()
    of_both = (await one.http.get(f"/v1/positions?model=documents&partition={here}")).json()
    refused = await one.http.get("/v1/positions?partition=-1")

    assert {row["name"] for row in of_model} == {"documents"}
    assert len(of_model) == one.node.partition_count
    assert {row["partition"] for row in of_partition["positions"]} == {here}
    assert of_partition["ready"].keys() == {str(here)}
    assert [row["name"] for row in of_both["positions"]] == ["documents"]
    assert problem_of(refused) == (422, "InvalidInput")


async def test_nothing_is_waited_for_where_nothing_is_asked_for(one: Running) -> None:
    assert (await wait_for(one.http, timeout_ms=0))["token"] == f"{LOG_ID}."
    assert (await wait_for(one.http, timeout_ms=0, token=[], coordinates=[]))["token"]


@pytest.mark.parametrize("model", [None, "documents", "relationships", "graph"])
async def test_a_write_is_waited_for_by_its_token(one: Running, model: str | None) -> None:
    await one.create("shop-1")
    job = await one.add("shop-1", "Milk", wait="write")

    shown = await wait_for(one.http, token=job["token"], model=model)
    document = (await one.http.get("/v1/documents/shop-1")).json()

    assert shown["token"] == job["token"]
    wanted, reached = (Position.parse(shown[one], log_id=LOG_ID) for one in ("token", "position"))
    assert reached.reached(wanted)
    assert document["state"]["global"]["items"] == ["Milk"]


async def test_tokens_are_merged_and_all_of_them_are_waited_for(one: Running) -> None:
    jobs = [await one.create(f"d{number}") for number in range(4)]

    shown = await wait_for(one.http, token=[job["token"] for job in jobs])

    merged = Position.parse(shown["token"], log_id=LOG_ID)
    for job in jobs:
        assert merged.reached(Position.parse(job["token"], log_id=LOG_ID))


async def test_what_is_not_reached_in_time_is_told_with_what_is(one: Running) -> None:
    job = await one.create("shop-1")
    partition = Partition(one.node.partition_of("shop-1"))
    token = Position.parse(job["token"], log_id=LOG_ID)
    far = Position(LOG_ID, {partition: Offset(token.next_offsets[partition] + 100)}).token

    late = await one.http.post(WAIT, json={"token": [job["token"], far], "timeout_ms": 20})

    assert problem_of(late) == (504, "NotYetVisible")
    assert late.json()["wanted"] == far
    assert Position.parse(late.json()["reached"], log_id=LOG_ID).reached(token)


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"token": f"{'f' * 32}.0-1"}, (409, "TokenOfAnotherLog")),
        ({"token": [f"{LOG_ID}.0-1", f"{'f' * 32}.0-1"]}, (409, "TokenOfAnotherLog")),
        ({"token": "anything"}, (422, "InvalidToken")),
        ({"model": "nobody's"}, (404, "UnknownReadModel")),
        ({"timeout_ms": 300_001}, (422, "InvalidInput")),
        ({"coordinates": [{"document_id": "d1"}]}, (422, "InvalidInput")),
        ({"coordinates": [place_of("a b", 0)]}, (422, "InvalidInput")),
        ({"coordinates": [place_of("d1", 0, scope="a/b")]}, (422, "InvalidInput")),
        ({"coordinates": [place_of("d1", -1)]}, (422, "InvalidInput")),
    ],
)
async def test_what_cannot_be_waited_for_is_refused(
    one: Running, wanted: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert problem_of(await one.http.post(WAIT, json=wanted)) == refusal


async def test_an_operation_is_waited_for_by_its_place(one: Running) -> None:
    await one.create("shop-1")
    waiting = asyncio.create_task(wait_for(one.http, coordinates=[place_of("shop-1", 1)]))
    job = await one.add("shop-1", "Milk", wait="write")
    first = await wait_for(one.http, coordinates=[place_of("shop-1", 0)])
    assert not waiting.done()
    await one.add("shop-1", "Bread", wait="write")
    await waiting
    document = (await one.http.get("/v1/documents/shop-1")).json()

    bound = Position.parse(first["token"], log_id=LOG_ID)
    assert bound.reached(Position.parse(job["token"], log_id=LOG_ID))
    assert document["state"]["global"]["items"] == ["Milk", "Bread"]


async def test_all_operations_are_waited_for_wherever_they_are(one: Running) -> None:
    ids = [f"d{number}" for number in range(4)]
    wanted = [place_of(one, 1, scope="document") for one in ids]
    waiting = asyncio.create_task(wait_for(one.http, coordinates=wanted))
    for document_id in ids:
        assert not waiting.done()
        await one.create(document_id)
    shown = await waiting

    partitions = {one.node.partition_of(document_id) for document_id in ids}
    assert Position.parse(shown["token"], log_id=LOG_ID).next_offsets.keys() == partitions


async def test_an_operation_that_is_not_there_is_waited_for_and_told(one: Running) -> None:
    await one.create("shop-1")
    for place in (place_of("nobody", 0), place_of("shop-1", 0)):
        body = {"coordinates": [place], "timeout_ms": 20}
        late = await one.http.post(WAIT, json=body)
        later = await one.http.post(RESOLVE, json=body)

        assert problem_of(late) == problem_of(later) == (504, "NotYetVisible")
        assert late.json()["wanted"] == f"{place['document_id']}/global/main/0"


async def test_what_was_erased_is_never_waited_for(one: Running) -> None:
    await one.create("shop-1")
    await one.http.post("/v1/documents/shop-1/erase?wait=read")

    refused = await one.http.post(WAIT, json={"coordinates": [place_of("shop-1", 0)]})

    assert problem_of(refused) == (410, "DocumentErased")


async def test_places_are_resolved_to_a_token_that_any_read_takes(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk", wait="write")

    reply = await one.http.post(RESOLVE, json={"coordinates": [place_of("shop-1", 0)]})
    token = reply.json()["token"]
    document = await one.http.get("/v1/documents/shop-1", params={"token": token})

    assert reply.headers[POSITION] == token
    assert document.json()["state"]["global"]["items"] == ["Milk"]


async def test_a_token_and_places_may_be_asked_for_together(one: Running) -> None:
    job = await one.create("d1")
    await one.create("d2")

    shown = await wait_for(
        one.http, token=job["token"], coordinates=[place_of("d2", 0, "document")]
    )

    merged = Position.parse(shown["token"], log_id=LOG_ID)
    assert merged.next_offsets.keys() == {
        one.node.partition_of("d1"),
        one.node.partition_of("d2"),
    }


async def test_every_node_knows_what_every_other_has_shown() -> None:
    async with several_nodes(2) as nodes:
        for number in range(8):
            document_id = f"d{number}"
            job = await nodes[number % 2].create(document_id)
            for running in nodes:
                by_token = await wait_for(running.http, token=job["token"])
                by_place = await wait_for(
                    running.http, coordinates=[place_of(document_id, 1, "document")]
                )
                reached = Position.parse(by_token["position"], log_id=LOG_ID)
                assert reached.reached(Position.parse(job["token"], log_id=LOG_ID))
                assert by_place["token"].startswith(LOG_ID)


async def test_a_node_without_partitions_waits_and_resolves_too() -> None:
    async with several_nodes(2, gateways=1) as (first, _, gateway):
        for number in range(8):
            job = await first.create(f"d{number}")
            by_token = await wait_for(gateway.http, token=job["token"])
            wanted = [place_of(f"d{number}", 1, "document")]
            by_place = await wait_for(gateway.http, coordinates=wanted)
            resolved = await gateway.http.post(RESOLVE, json={"coordinates": wanted})
            of_its_graph = await wait_for(gateway.http, token=job["token"], model="graph")
            known = (await gateway.http.get("/v1/positions")).json()["ready"]

            token = Position.parse(job["token"], log_id=LOG_ID)
            for shown in (by_token, by_place, of_its_graph):
                assert Position.parse(shown["position"], log_id=LOG_ID).reached(token)
            assert Position.parse(resolved.json()["token"], log_id=LOG_ID).reached(token)
            assert all(known[str(one)] >= at for one, at in token.next_offsets.items())


async def test_tokens_and_places_hold_after_a_restart() -> None:
    place = site()
    body = {"document_type": TODO_TYPE, "id": "shop-1"}
    wanted: dict[str, Any] = {"coordinates": [place_of("shop-1", 1, "document")]}
    async with place.node() as node, asked(node) as http:
        job = (await http.post("/v1/documents?wait=write", json=body)).json()
        wanted["token"] = (await http.post(RESOLVE, json=wanted)).json()["token"]
    async with place.node() as node, asked(node) as http:
        shown = await wait_for(http, **wanted)
        read = await http.get("/v1/documents/shop-1", params={"token": [job["token"]]})

    reached = Position.parse(shown["position"], log_id=LOG_ID)
    assert reached.reached(Position.parse(job["token"], log_id=LOG_ID))
    assert read.json()["header"]["id"] == "shop-1"


async def test_who_disconnects_waits_no_more() -> None:
    async with several_nodes(1) as (only,):
        await only.create("shop-1")
        written = live(only.node, only.node.partition_of("shop-1")).written
        before = written.waiting
        body = {"coordinates": [place_of("shop-1", 7)]}
        waiting = asyncio.create_task(only.http.post(WAIT, json=body, timeout=30))
        await until(lambda: written.waiting > before)
        waiting.cancel()
        await until(lambda: written.waiting == before)

    assert waiting.cancelled()


async def test_what_is_written_and_not_shown_is_waited_for() -> None:
    gate = Gate()
    async with one_node(gate) as one:
        await one.create("shop-1")
        gate.shut()
        adding = asyncio.create_task(one.add("shop-1", "Milk"))
        waiting = asyncio.create_task(wait_for(one.http, coordinates=[place_of("shop-1", 0)]))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        gate.open()
        await waiting
        document = (await one.http.get("/v1/documents/shop-1")).json()
        await adding

    assert document["state"]["global"]["items"] == ["Milk"]
