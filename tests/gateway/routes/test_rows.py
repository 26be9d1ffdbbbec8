"""Read models over HTTP: which there are, and the rows of users' own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from docreactor import Reactor
from docreactor.examples.todo import todo
from docreactor.gateway.app import create_app
from docreactor.gateway.reach import ANSWERED_BY, POSITION
from docreactor.pipeline.position import Position
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from tests.gateway.deployment import Running, one_node, problem_of, several_nodes, site
from tests.support.nodes import Site, live, until


class Items(ReadModel):
    """The items of each list, and in how many lists each stands; it can be held up."""

    name = "items"
    document_types = ("example/todo",)
    scopes = ("global",)

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_broken = False

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        await self.gate.wait()
        if self.is_broken:
            raise OSError("the disk is full")
        for change in batch:
            key = f"of/{change.document_id}"
            before = writer.get(key, [])
            items = (await change.state())["items"] if change.operation else []
            for item in {*before, *items}:
                count = writer.get(f"count/{item}", 0) + (item in items) - (item in before)
                writer.put(f"count/{item}", count)
            writer.put(key, items)


@pytest.fixture
async def kept() -> AsyncGenerator[Running]:
    """One node of eight partitions that keeps items."""
    async with one_node(models=[todo, Items()]) as running:
        yield running


async def get(running: Running, name: str = "items", **parameters: Any) -> Any:
    reply = await running.http.get(f"/v1/read-models/{name}/rows", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def filled(running: Running, count: int = 6) -> list[str]:
    """So many lists with milk, on whatever partitions; the tokens."""
    tokens: list[str] = []
    for number in range(count):
        await running.create(f"d{number}")
        tokens.append((await running.add(f"d{number}", "milk", wait="write"))["token"])
    return tokens


async def test_rows_come_in_the_order_of_keys_then_of_partitions(kept: Running) -> None:
    token = await filled(kept)
    page = await get(kept, token=token)
    rows = [(row["key"], row["partition"]) for row in page["rows"]]
    assert rows == sorted(rows)
    of = {row["key"]: row["value"] for row in page["rows"] if row["key"].startswith("of/")}
    assert of == {f"of/d{number}": ["milk"] for number in range(6)}
    counts = [row["value"] for row in page["rows"] if row["key"] == "count/milk"]
    assert sum(counts) == 6
    assert len(counts) > 1, "each partition counts for itself"
    assert page["next_cursor"] is None


async def test_a_key_and_a_prefix_narrow_them(kept: Running) -> None:
    token = await filled(kept)
    by_key = await get(kept, key="of/d3", token=token)
    by_prefix = await get(kept, prefix="of/d", token=token)
    assert [(row["key"], row["value"]) for row in by_key["rows"]] == [("of/d3", ["milk"])]
    assert [row["key"] for row in by_prefix["rows"]] == [f"of/d{number}" for number in range(6)]
    assert (await get(kept, key="of/d"))["rows"] == []
    assert (await get(kept, prefix="nothing"))["rows"] == []


async def test_a_document_narrows_to_the_partition_that_keeps_what_is_made_of_it(
    kept: Running,
) -> None:
    token = await filled(kept)
    page = await get(kept, key="count/milk", document="d2", token=token)
    ((row),) = page["rows"]
    assert row["partition"] == kept.node.partition_of("d2")


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_hold_across_partitions(kept: Running, limit: int) -> None:
    token = await filled(kept)
    whole = (await get(kept, token=token))["rows"]
    for parameters in ({}, {"key": "count/milk"}, {"prefix": "count/"}):
        found: list[Any] = []
        cursor: dict[str, str] = {}
        for _ in whole:
            page = await get(kept, limit=limit, **parameters, **cursor)
            assert len(page["rows"]) <= limit
            found += page["rows"]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        prefix = "count/milk" if parameters else ""
        assert found == [row for row in whole if row["key"].startswith(prefix)]


async def test_what_cannot_be_asked_for_is_refused_by_name(kept: Running) -> None:
    for name, parameters, refusal in (
        ("items", {"key": "a", "prefix": "a"}, (422, "InvalidInput")),
        ("items", {"cursor": "!"}, (422, "InvalidInput")),
        ("items", {"cursor": "WzEsMl0"}, (422, "InvalidInput")),
        ("items", {"document": "a b"}, (422, "InvalidInput")),
        ("items", {"limit": "0"}, (422, "InvalidInput")),
        ("items", {"branch": "main"}, (422, "InvalidInput")),
        ("items", {"token": "mine"}, (422, "InvalidToken")),
        ("documents", {}, (422, "InvalidInput")),
        ("nobody", {}, (404, "UnknownReadModel")),
    ):
        reply = await kept.http.get(f"/v1/read-models/{name}/rows", params=parameters)
        assert problem_of(reply) == refusal, (name, parameters)
    assert "items" in reply.json()["detail"]


async def test_a_read_with_a_token_waits_for_this_very_read_model() -> None:
    items = Items()
    async with one_node(models=[todo, items], partitions=1) as kept:
        await kept.create("a")
        items.gate.clear()
        job = await kept.add("a", "milk", wait="write")
        assert (await get(kept, key="of/a"))["rows"] == []
        late = await kept.http.get(
            "/v1/read-models/items/rows", params={"token": job["token"], "timeout_ms": 1}
        )
        assert problem_of(late) == (504, "NotYetVisible")
        waiting = asyncio.create_task(get(kept, key="of/a", token=job["token"]))
        await asyncio.sleep(0)
        items.gate.set()
        assert [row["value"] for row in (await waiting)["rows"]] == [["milk"]]


async def test_any_node_answers_with_the_rows_of_all() -> None:
    async with several_nodes(2, gateways=1, models=[todo, Items()]) as running:
        tokens = await filled(running[0])
        seen: list[Any] = []
        for one in running:
            reply = await one.http.get("/v1/read-models/items/rows", params={"token": tokens})
            assert reply.headers[ANSWERED_BY] == "gathered"
            position = Position.parse(reply.headers[POSITION], log_id=one.node.log_id)
            for token in tokens:
                assert position.reached(Position.parse(token, log_id=one.node.log_id))
            seen.append(reply.json())
        narrowed = await get(running[2], document="d1", key="of/d1")
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]["rows"]) > 6
    assert [row["value"] for row in narrowed["rows"]] == [["milk"]]


async def test_when_an_owner_does_not_answer_there_is_no_part_as_if_it_were_the_whole() -> None:
    async with several_nodes(2, mute=1, models=[todo, Items()]) as (first, mute):
        reply = await first.http.get("/v1/read-models/items/rows")
        partition = next(one for one in range(8) if first.node.local(one))
        own = next(
            name for name in map(str, range(100)) if first.node.partition_of(name) == partition
        )
        narrowed = await first.http.get("/v1/read-models/items/rows", params={"document": own})
        assert mute.node.owner(partition) == first.node.url
    assert problem_of(reply) == (503, "Restoring")
    assert reply.headers["retry-after"] == "1"
    assert narrowed.status_code == 200


async def test_every_read_model_is_listed_with_how_far_it_is(kept: Running) -> None:
    await filled(kept, 2)
    await until(lambda: "items" in kept.node.coordinator.required)
    listed = (await kept.http.get("/v1/read-models")).json()
    assert listed["next_cursor"] is None
    by_name = {one["name"]: one for one in listed["read_models"]}
    assert by_name.keys() == {"documents", "relationships", "items"}
    items = by_name["items"]
    assert (items["version"], items["generation"], items["retired"]) == (1, 0, False)
    assert (items["required"], items["serving"], items["partitions"]) == (True, 8, 8)
    assert items["errors"] == {}
    position = Position.parse(items["position"], log_id=kept.node.log_id)
    written = live(kept.node, kept.node.partition_of("d0"))
    assert position.reached(written.operations_position())


async def test_what_holds_a_read_model_up_is_listed() -> None:
    items = Items()
    async with one_node(models=[todo, items], partitions=1) as kept:
        await kept.create("a")
        items.is_broken = True
        job = await kept.add("a", "milk", wait="write")

        async def errors() -> Any:
            listed = (await kept.http.get("/v1/read-models")).json()["read_models"]
            return next(one["errors"] for one in listed if one["name"] == "items")

        await until(lambda: any(row.get("error") for row in kept.node.positions()))
        assert await errors() == {"0": "the disk is full"}
        health = (await kept.http.get("/readyz")).json()
        assert "the disk is full" in str(health["errors"])
        rows = (await kept.reactor.positions()).positions
        assert [row.error for row in rows if row.name == "items"] == ["the disk is full"]
        items.is_broken = False
        page = await get(kept, key="of/a", token=job["token"])
        assert [row["value"] for row in page["rows"]] == [["milk"]]
        assert await errors() == {}


async def test_a_write_is_ready_to_be_read_when_the_rows_show_it() -> None:
    items = Items()
    async with one_node(models=[todo, items], partitions=1) as kept:
        await kept.create("a")
        await until(lambda: "items" in kept.node.coordinator.required)
        items.gate.clear()
        job = await kept.add("a", "milk", wait="write")
        assert job["status"] == "WRITE_READY"
        asked = await kept.http.get(
            f"/v1/jobs/{job['id']}", params={"wait": "read", "timeout_ms": 1}
        )
        assert problem_of(asked) == (504, "JobNotReady")
        items.gate.set()
        ready = await kept.http.get(f"/v1/jobs/{job['id']}", params={"wait": "read"})
        assert ready.json()["status"] == "READ_READY"
        assert [row["value"] for row in (await get(kept, key="of/a"))["rows"]] == [["milk"]]


async def test_a_document_set_aside_is_listed_retried_and_then_shown() -> None:
    class Picky(Items):
        """As Items, and refuses bread."""

        async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
            await super().apply(batch, writer)
            for change in batch:
                if self.is_picky and change.operation and "bread" in str(change.operation.action):
                    raise ValueError("no bread")

        def forget(self, document_id: str, writer: Writer) -> None:
            for item in writer.get(f"of/{document_id}", []):
                writer.put(f"count/{item}", writer.get(f"count/{item}") - 1)
            writer.delete(f"of/{document_id}")

        is_picky = True

    picky = Picky()
    async with one_node(models=[todo, picky], partitions=1) as kept:
        for name in ("a", "b"):
            await kept.create(name)
            await kept.add(name, "milk", wait="write")
        await kept.add("a", "bread", wait="write")
        job = await kept.add("b", "eggs", wait="write")
        page = await get(kept, prefix="of/", token=job["token"])
        assert [row["value"] for row in page["rows"]] == [["milk"], ["milk", "eggs"]]
        (aside,) = (await kept.http.get("/v1/quarantine")).json()["documents"]
        assert (aside["model"], aside["document_id"]) == ("items", "a")
        assert aside["problem"]["title"] == "ReadModelFailed"
        assert aside["problem"]["cause"].startswith("ValueError: no bread")
        picky.is_picky = False
        left = await kept.http.post("/v1/quarantine/items/a/retry")
        assert left.json()["documents"] == []
        page = await get(kept)
    assert {row["key"]: row["value"] for row in page["rows"]} == {
        "count/bread": 1,
        "count/eggs": 1,
        "count/milk": 2,
        "of/a": ["milk", "bread"],
        "of/b": ["milk", "eggs"],
    }


@asynccontextmanager
async def _asked(place: Site) -> AsyncGenerator[Running]:
    """A process over what the one before it left."""
    async with place.node() as node:
        app = create_app(node)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://node") as http,
            Reactor("http://node", transport=transport) as reactor,
        ):
            yield Running(node, http, reactor)


async def test_rows_of_the_version_before_answer_until_those_of_the_new_one_have_caught_up() -> (
    None
):
    class Counted(Items):
        """As Items of the next version: how many there are, instead of which."""

        version = 2

        async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
            await self.gate.wait()
            for change in batch:
                if change.operation is not None:
                    writer.put(f"of/{change.document_id}", len((await change.state())["items"]))

    place = site(models=[todo, Items()], partitions=1)
    async with _asked(place) as before:
        await before.create("a")
        await before.add("a", "milk", "bread")
    counted = Counted()
    counted.gate.clear()
    place.models = (todo, counted)
    async with _asked(place) as after:
        page = await get(after, key="of/a")
        assert [row["value"] for row in page["rows"]] == [["milk", "bread"]]
        counted.gate.set()
        await until(lambda: after.node.coordinator.served("items", 0) == 1)
        page = await get(after)
        assert [(row["key"], row["value"]) for row in page["rows"]] == [("of/a", 2)]
        (items,) = [
            one for one in (await after.reactor.read_models()).read_models if one.name == "items"
        ]
        assert (items.version, items.generation, items.serving) == (2, 1, 1)
