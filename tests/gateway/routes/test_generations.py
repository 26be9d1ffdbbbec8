"""Read models over HTTP that are built anew, put back, retired, and shown records again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest

from docreactor.examples.todo import todo
from docreactor.gateway.reach import ANSWERED_BY, GENERATION
from docreactor.pipeline.errors import HashMismatchError
from docreactor.pipeline.position import Position
from docreactor.pipeline.problem import problem
from docreactor.pipeline.timestamp import render
from tests.gateway.deployment import TODO_TYPE, Running, problem_of, several_nodes
from tests.gateway.routes.test_rows import Items
from tests.support.holding import Holding
from tests.support.nodes import LOG_ID, live, until

PARTITIONS = 4
VERBS = ("rebuild", "roll-back", "finish", "retire", "revive")


@pytest.fixture
async def two() -> AsyncGenerator[list[Running]]:
    """Two nodes that share four partitions, and keep items."""
    async with several_nodes(2, models=[todo, Items()], partitions=PARTITIONS) as running:
        await until(lambda: all("items" in one.node.coordinator.required for one in running))
        yield running


async def govern(running: Running, name: str, verb: str, **body: str) -> dict[str, Any]:
    """What a verb is answered."""
    reply = await running.http.post(f"/v1/read-models/{name}/{verb}", json=body or None)
    assert reply.status_code == 202, reply.text
    told: dict[str, Any] = reply.json()
    return told


async def serving(running: Running, name: str) -> dict[int, int]:
    """Which generation of a read model answers in each partition, as a node knows it."""
    reply = await running.http.get("/v1/positions", params={"model": name})
    rows = reply.json()["positions"]
    return {row["partition"]: row["generation"] for row in rows if row["serving"]}


async def until_serving(running: Running, name: str, generations: Mapping[int, int]) -> None:
    """Wait until these answer, as a node knows it."""
    async with asyncio.timeout(20):
        while await serving(running, name) != generations:  # noqa: ASYNC110  a node tells nobody
            await asyncio.sleep(0.005)


async def swapped(nodes: Sequence[Running], name: str, generation: int) -> None:
    """Wait until a generation answers in every partition, and every node knows."""
    for one in nodes:
        everywhere = dict.fromkeys(range(one.node.partition_count), generation)
        await until_serving(one, name, everywhere)


async def replayed(running: Running, name: str, partition: int, **given: Any) -> dict[str, Any]:
    """What a page of a replay is answered."""
    reply = await running.http.post(
        f"/v1/read-models/{name}/replay", params={"partition": partition, **given}
    )
    assert reply.status_code == 200, reply.text
    page: dict[str, Any] = reply.json()
    return page


def generations(running: Running, name: str) -> set[int]:
    """Those of which a node has been told."""
    return {row["generation"] for row in running.node.positions() if row["name"] == name}


def owner_of(document_id: str, nodes: Sequence[Running]) -> Running:
    """The node that runs the document's partition."""
    return next(one for one in nodes if one.node.local(one.node.partition_of(document_id)))


def set_aside(document_id: str, nodes: Sequence[Running]) -> None:
    """Have the serving documents table refuse a document from here on."""
    node = owner_of(document_id, nodes).node
    table = live(node, node.partition_of(document_id)).documents
    stage = table.stage()
    fault = HashMismatchError(document_id, key="k", expected="x", actual="y")
    stage.quarantine(document_id, problem(fault))
    table.store.write(stage.rows(), {}, now_ms=0)


async def test_a_rebuild_is_answered_at_once_and_swaps_everywhere_whoever_is_asked(
    two: list[Running],
) -> None:
    for number in range(8):
        await two[0].create(f"d{number}")
    told = await govern(two[0], "documents", "rebuild")
    assert told == {
        "name": "documents",
        "generation": 1,
        "versions": {"0": told["versions"]["0"], "1": told["versions"]["0"]},
        "required": True,
        "retired": False,
    }
    await swapped(two, "documents", 1)
    token = (await two[1].add("d3", "milk", wait="write"))["token"]
    for one in two:
        shown = (await one.http.get("/v1/documents/d3", params={"token": token})).json()
        assert shown["state"]["global"]["items"] == ["milk"]
        page = (await one.http.get("/v1/documents", params={"type": TODO_TYPE})).json()
        assert len(page["documents"]) == 8


async def test_every_read_shows_its_write_while_generations_come_and_go(
    two: list[Running],
) -> None:
    for number in range(4):
        await two[0].create(f"d{number}")
    is_done = asyncio.Event()

    async def write_and_read(document_id: str, there: Running, here: Running) -> int:
        count = 0
        while not is_done.is_set():
            count += 1
            token = (await there.add(document_id, f"item {count}", wait="write"))["token"]
            reply = await here.http.get(f"/v1/documents/{document_id}", params={"token": token})
            assert reply.status_code == 200, reply.text
            assert len(reply.json()["state"]["global"]["items"]) == count
        return count

    async with asyncio.TaskGroup() as tasks:
        writers = [
            tasks.create_task(write_and_read(f"d{number}", two[number % 2], two[1 - number % 2]))
            for number in range(4)
        ]
        await govern(two[0], "documents", "rebuild")
        await swapped(two, "documents", 1)
        await govern(two[1], "documents", "roll-back")
        await swapped(two, "documents", 0)
        await govern(two[0], "documents", "rebuild")
        await swapped(two, "documents", 2)
        await govern(two[1], "documents", "finish")
        is_done.set()
    assert all(writer.result() > 0 for writer in writers)


async def test_the_generation_before_is_put_back_and_is_as_new(two: list[Running]) -> None:
    await two[0].create("a")
    await govern(two[0], "documents", "rebuild")
    await swapped(two, "documents", 1)
    await two[0].add("a", "milk")

    told = await govern(two[1], "documents", "roll-back")
    assert (told["generation"], sorted(told["versions"])) == (0, ["0", "1"])
    await swapped(two, "documents", 0)
    shown = await two[0].reactor.get("a")
    assert shown.state is not None
    assert shown.state["global"]["items"] == ["milk"]


async def test_after_finish_there_is_nothing_to_put_back(two: list[Running]) -> None:
    await govern(two[0], "documents", "rebuild")
    await swapped(two, "documents", 1)
    told = await govern(two[0], "documents", "finish")
    assert list(told["versions"]) == ["1"]
    refused = await two[0].http.post("/v1/read-models/documents/roll-back")
    assert problem_of(refused) == (409, "NothingToRollBack")

    await until(lambda: generations(two[1], "documents") == {1})


async def test_what_is_not_there_and_what_cannot_be_are_refused_by_name(two: list[Running]) -> None:
    for verb in (*VERBS, "replay?partition=0"):
        refused = await two[1].http.post(f"/v1/read-models/nobody/{verb}")
        assert problem_of(refused) == (404, "UnknownReadModel"), verb
        assert "items" in refused.json()["detail"]
    for name, verb, refusal in (
        ("documents", "roll-back", (409, "NothingToRollBack")),
        ("items", "roll-back", (409, "NothingToRollBack")),
        ("relationships", "roll-back", (422, "InvalidInput")),
        ("documents", "retire", (409, "ReadModelNotRetirable")),
        ("relationships", "retire", (409, "ReadModelNotRetirable")),
        ("items", "replay?partition=0", (422, "InvalidInput")),
        ("documents", f"replay?partition={PARTITIONS}", (422, "InvalidInput")),
        ("documents", "replay", (422, "InvalidInput")),
        ("documents", "replay?partition=0&cursor=x", (422, "InvalidInput")),
        ("documents", "replay?partition=0&from=yesterday", (422, "InvalidInput")),
    ):
        refused = await two[0].http.post(f"/v1/read-models/{name}/{verb}")
        assert problem_of(refused) == refusal, (name, verb)


async def test_where_a_rebuild_begins_is_a_time_or_a_token_of_this_log(two: list[Running]) -> None:
    elsewhere = Position("f" * 32, {}).token
    ahead = f"{LOG_ID}.0-1000"
    for name, begin, refusal in (
        ("items", "yesterday", (422, "InvalidInput")),
        ("items", "", (422, "InvalidInput")),
        ("items", elsewhere, (409, "TokenOfAnotherLog")),
        ("items", ahead, (504, "NotYetVisible")),
        ("documents", "2026-01-31T08:00:00Z", (422, "InvalidInput")),
        ("relationships", f"{LOG_ID}.", (422, "InvalidInput")),
    ):
        refused = await two[0].http.post(f"/v1/read-models/{name}/rebuild", json={"from": begin})
        assert problem_of(refused) == refusal, (name, begin)
    misspelt = await two[0].http.post("/v1/read-models/items/rebuild", json={"since": "beginning"})
    assert problem_of(misspelt) == (422, "InvalidInput")
    assert set((await serving(two[0], "items")).values()) == {0}


async def test_rows_since_a_token_or_a_time_hold_only_what_came_since(two: list[Running]) -> None:
    for number in range(6):
        await two[0].create(f"d{number}")
        await two[0].add(f"d{number}", "milk")
    position = (await two[0].reactor.read_models()).read_models[0].position
    # Records carry milliseconds: what is written next must be of a later one.
    await asyncio.sleep(0.005)
    since = render(two[0].node.now_us())
    job = await two[1].add("d2", "bread")
    for generation, begin in ((1, position), (2, since)):
        told = await govern(two[0], "items", "rebuild", **{"from": begin})
        assert told["generation"] == generation
        await swapped(two, "items", generation)
        for one in two:
            page = await one.reactor.rows("items", prefix="of/", token=job["token"])
            assert [(row.key, row.value) for row in page.rows] == [("of/d2", ["milk", "bread"])]
    await govern(two[0], "items", "rebuild")
    await swapped(two, "items", 3)
    assert len((await two[1].reactor.rows("items", prefix="of/")).rows) == 6


async def test_a_retired_read_model_is_refused_and_comes_back_whole(two: list[Running]) -> None:
    await two[0].create("a")
    await two[0].add("a", "milk")
    told = await govern(two[0], "items", "retire")
    assert (told["retired"], told["required"]) == (True, False)
    await until(lambda: all(one.node.coordinator.models["items"].is_retired for one in two))
    for one in two:
        refused = await one.http.get("/v1/read-models/items/rows")
        assert problem_of(refused) == (404, "UnknownReadModel")
        assert refused.json()["known"] == ["documents", "relationships"]
    rebuilt = await two[1].http.post("/v1/read-models/items/rebuild")
    assert problem_of(rebuilt) == (422, "InvalidInput")
    assert (await two[0].add("a", "bread"))["status"] == "READ_READY"

    told = await govern(two[1], "items", "revive")
    assert (told["retired"], told["required"]) == (False, False)
    await until(lambda: all("items" in one.node.coordinator.required for one in two))
    page = await two[0].reactor.rows("items", key="of/a")
    assert [row.value for row in page.rows] == [["milk", "bread"]]


async def test_documents_that_were_set_aside_are_shown_again_since_a_token_or_a_time(
    two: list[Running],
) -> None:
    for begin in ("token", "time", "beginning"):
        document_id = f"by-{begin}"
        partition = two[0].node.partition_of(document_id)
        token = (await two[0].create(document_id))["token"]
        written = await two[0].add(document_id, "milk")
        set_aside(document_id, two)
        refused = await two[1].http.get(f"/v1/documents/{document_id}")
        assert problem_of(refused)[1] == "HashMismatch"
        given = {"token": token, "time": "2026-01-01T00:00:00Z", "beginning": "beginning"}[begin]
        # The creation lies below its token: the item alone is met again.
        page = await replayed(two[1], "documents", partition, **{"from": given})
        assert page["documents"] >= 1
        assert page["next_cursor"] is None
        for one in two:
            shown = await one.reactor.get(document_id, token=written["token"])
            assert shown.state is not None
            assert shown.state["global"]["items"] == ["milk"]


async def test_nothing_is_replayed_of_what_lies_before(two: list[Running]) -> None:
    await two[0].create("a")
    partition = two[0].node.partition_of("a")
    token = (await two[0].add("a", "milk"))["token"]
    future = "2999-01-01T00:00:00Z"
    for begin in (token, future):
        page = await replayed(two[1], "documents", partition, **{"from": begin})
        assert page == {"documents": 0, "next_cursor": None}


async def test_a_replay_goes_page_by_page_over_each_partition(two: list[Running]) -> None:
    for number in range(5):
        await two[0].create(f"d{number}")
    await two[0].reactor.relate("d0", "d1", "next", wait="read")
    for name in ("documents", "relationships"):
        for partition in range(PARTITIONS):
            own = [f"d{n}" for n in range(5) if two[0].node.partition_of(f"d{n}") == partition]
            cursor, counted = dict[str, str](), 0
            while True:
                page = await replayed(two[1], name, partition, limit=1, **cursor)
                counted += page["documents"]
                if page["next_cursor"] is None:
                    break
                cursor = {"cursor": page["next_cursor"]}
            assert counted >= len(own)
    assert await two[1].reactor.has_relationship("d0", "d1")


async def test_edges_are_derived_anew_by_a_replay_and_by_a_rebuild(two: list[Running]) -> None:
    for document_id in ("a", "b"):
        await two[0].create(document_id)
    await two[0].reactor.relate("a", "b", "next", wait="read")
    partition = two[0].node.partition_of("a")
    for way in ("replay", "rebuild"):
        _lose_edges(owner_of("a", two), "a")
        if way == "replay":
            await replayed(two[1], "relationships", partition)
        else:
            await govern(two[1], "relationships", "rebuild")
            await swapped(two, "relationships", 1)
        await until(lambda: _edges(owner_of("a", two), "a") == ["b"])


def _lose_edges(running: Running, document_id: str) -> None:
    """Rows are gone as from a torn file."""
    table: Any = (
        live(running.node, running.node.partition_of(document_id))
        .serving("relationships", None)
        .projection
    )
    rows = [(key, None) for key, _ in table.table.store.scan(b"", b"\xff") if b"a/" in key]
    assert rows
    table.table.store.write(rows, {}, now_ms=0)


def _edges(running: Running, document_id: str) -> list[str]:
    table: Any = (
        live(running.node, running.node.partition_of(document_id))
        .serving("relationships", None)
        .projection
    )
    return [edge.target_id for edge in table.table.of(document_id, "main")]


async def test_a_list_is_of_one_generation_while_partitions_swap_one_after_the_other() -> None:
    holding = Holding("1/documents-1")
    async with several_nodes(2, gateways=1, partitions=2, open_store=holding.open) as nodes:
        first, *_ = nodes
        every = [f"d{number}" for number in range(6)]
        for document_id in every:
            await first.create(document_id)
            set_aside(document_id, nodes)
        assert {first.node.partition_of(document_id) for document_id in every} == {0, 1}

        async def problems(one: Running) -> set[bool]:
            reply = await one.http.get("/v1/documents", params={"type": TODO_TYPE})
            assert reply.status_code == 200, reply.text
            assert len(reply.json()["documents"]) == len(every)
            return {"problem" in found for found in reply.json()["documents"]}

        await govern(first, "documents", "rebuild")
        await until_serving(first, "documents", {0: 1, 1: 0})
        # A document alone is of one partition, which has swapped; a list is not.
        in_first = next(one for one in every if first.node.partition_of(one) == 0)
        assert (await first.http.get(f"/v1/documents/{in_first}")).status_code == 200
        for one in nodes:
            assert await problems(one) == {True}
        unfinished = await first.http.post("/v1/read-models/documents/finish")
        assert problem_of(unfinished) == (409, "RebuildUnfinished")

        holding.held.clear()
        async with asyncio.timeout(10):
            while await serving(first, "documents") != {0: 1, 1: 1}:
                assert len(await problems(first)) == 1
                await asyncio.sleep(0)
        knowing = [one.node.coordinator for one in nodes]
        await until(lambda: {one.common("documents") for one in knowing} == {1})
        for one in nodes:
            assert await problems(one) == {False}


async def test_a_generation_that_an_owner_lacks_is_503(two: list[Running]) -> None:
    await two[0].create("a")
    for path in (f"/v1/documents?type={TODO_TYPE}", "/v1/read-models/items/rows"):
        for generation, status in (("0", 200), ("7", 503)):
            reply = await two[0].http.get(path, headers={GENERATION: generation})
            assert reply.status_code == status, (path, generation, reply.text)
        assert problem_of(reply) == (503, "Restoring")
        assert reply.headers["retry-after"] == "1"
        plain = await two[0].http.get(path)
        assert plain.headers[ANSWERED_BY] == "gathered"
