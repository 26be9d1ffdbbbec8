"""The commands that build read models anew: rebuild MODEL, replay."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

import pytest

from docreactor.examples.todo import todo
from tests.gateway.cli.running import say
from tests.gateway.deployment import Running, several_nodes
from tests.gateway.routes.test_generations import (
    generations,
    serving,
    set_aside,
    swapped,
    until_serving,
)
from tests.gateway.routes.test_rows import Items
from tests.support.holding import Holding
from tests.support.nodes import until

PARTITIONS = 2
COLOURS = {"FORCE_COLOR": "1", "COLUMNS": "200"}


@pytest.fixture
async def two() -> AsyncGenerator[list[Running]]:
    """Two nodes that share two partitions, and keep items."""
    async with several_nodes(2, models=[todo, Items()], partitions=PARTITIONS) as running:
        await until(lambda: all("items" in one.node.coordinator.required for one in running))
        yield running


async def looked(running: Running) -> None:
    """Wait until whoever waits for a read model has looked twice more."""
    counted = re.compile(r'_seconds_count{method="GET",route="/v1/read-models",status="200"} (\S+)')

    async def count() -> float:
        found = counted.search(await running.reactor.metrics())
        return 0.0 if found is None else float(found[1])

    before = await count()
    async with asyncio.timeout(20):
        while await count() < before + 2:  # noqa: ASYNC110  a process tells nobody
            await asyncio.sleep(0.02)


async def test_a_rebuild_waits_until_it_serves_and_is_put_back_and_finished(
    two: list[Running],
) -> None:
    await two[0].create("a")
    here, there = (one.node.url for one in two)
    rebuilt = await say("rebuild", "documents", url=here)
    assert rebuilt.code == 0, rebuilt.err
    assert [line.split(maxsplit=1) for line in rebuilt.out.splitlines()] == [
        ["read", "model  documents"],
        ["generation", "1"],
        ["kept", "0, 1"],
        ["required", "yes"],
        ["retired", "no"],
    ]
    assert await serving(two[0], "documents") == {0: 1, 1: 1}

    back = await say("rebuild", "documents", "--roll-back", "--json", url=there)
    assert back.json["generation"] == 0
    await swapped(two, "documents", 0)
    finished = await say("rebuild", "documents", "--finish", "--json", url=here)
    assert list(finished.json["versions"]) == ["0"]
    await until(lambda: generations(two[0], "documents") == {0})
    nothing = await say("rebuild", "documents", "--roll-back", url=here)
    assert (nothing.code, nothing.out) == (1, "")
    assert nothing.err.startswith("NothingToRollBack: ")


async def test_a_rebuild_shows_how_far_it_is_and_what_holds_it_up() -> None:
    holding = Holding("1/documents-1")
    async with several_nodes(2, partitions=2, open_store=holding.open) as two:
        for number in range(4):
            await two[0].create(f"d{number}")
        asking = asyncio.create_task(say("rebuild", "documents", url=two[1].node.url, **COLOURS))
        await until_serving(two[1], "documents", {0: 1, 1: 0})
        await until(lambda: any(row.get("error") for row in two[1].node.positions()))
        await looked(two[1])
        holding.held.clear()
        said = await asking
        assert await serving(two[1], "documents") == {0: 1, 1: 1}
    assert said.code == 0, said.err
    assert "Rebuilding documents" in said.err
    assert "Partition 1 waits: 1/documents-1 is held" in said.err
    assert "generation  1" in said.out


async def test_without_waiting_it_is_told_what_will_be() -> None:
    holding = Holding("0/documents-1")
    async with several_nodes(1, partitions=1, open_store=holding.open) as (only,):
        await only.create("a")
        told = await say("rebuild", "documents", "--no-wait", "--json", url=only.node.url)
        assert told.json["generation"] == 1
        assert sorted(told.json["versions"]) == ["0", "1"]
        unfinished = await say("rebuild", "documents", "--finish", url=only.node.url)
        assert unfinished.code == 1
        assert unfinished.err.startswith("RebuildUnfinished: ")


async def test_it_ends_when_another_call_has_put_the_generation_away() -> None:
    holding = Holding("0/documents-1")
    async with several_nodes(1, partitions=1, open_store=holding.open) as (only,):
        await only.create("a")
        asking = asyncio.create_task(say("rebuild", "documents", url=only.node.url))
        await until(lambda: only.node.coordinator.models["documents"].generation == 1)
        await until(lambda: not asking.done() and 1 in generations(only, "documents"))
        await only.reactor.roll_back("documents")
        said = await asking
    assert (said.code, said.out) == (1, "")
    assert "Generation 1 is not to serve any more" in said.err


async def test_edges_are_rebuilt_by_the_same_command(two: list[Running]) -> None:
    for document_id in ("a", "b"):
        await two[0].create(document_id)
    await two[0].reactor.relate("a", "b", "next", wait="read")
    rebuilt = await say("rebuild", "relationships", "--json", url=two[1].node.url)
    assert rebuilt.code == 0, rebuilt.err
    assert rebuilt.json["generation"] == 1
    assert await two[1].reactor.has_relationship("a", "b")


async def test_documents_are_shown_again_since_a_token_or_a_time(two: list[Running]) -> None:
    url = two[1].node.url
    position = (await two[0].create("a"))["token"]
    await two[0].add("a", "milk")
    for begin in (position, "2026-01-31T08:00:00Z"):
        set_aside("a", two)
        replayed = await say("replay", "documents", "--from", begin, "--json", url=url)
        assert replayed.json == {"documents": 1}
        shown = await two[0].reactor.get("a")
        assert shown.state is not None
        assert shown.state["global"]["items"] == ["milk"]
    assert await serving(two[0], "documents") == {0: 0, 1: 0}
    edges = await say("replay", "relationships", "--from", "2026-01-31T08:00:00Z", url=url)
    assert edges.out == "documents  1\n"


async def test_a_replay_from_the_beginning_is_a_rebuild(two: list[Running]) -> None:
    await two[0].create("a")
    replayed = await say("replay", "documents", "--json", url=two[0].node.url)
    assert (replayed.json["name"], replayed.json["generation"]) == ("documents", 1)
    assert await serving(two[0], "documents") == {0: 1, 1: 1}


async def test_rows_of_a_replay_hold_only_what_came_since(two: list[Running]) -> None:
    for number in range(4):
        await two[0].create(f"d{number}")
        await two[0].add(f"d{number}", "milk")
    models = (await two[0].reactor.read_models()).read_models
    (position,) = [one.position for one in models if one.name == "items"]
    token = (await two[0].add("d1", "eggs"))["token"]
    replayed = await say("replay", "items", "--from", position, url=two[1].node.url)
    assert replayed.code == 0, replayed.err
    assert "generation  1" in replayed.out
    await swapped(two, "items", 1)
    page = await two[1].reactor.rows("items", prefix="of/", token=token)
    assert [(row.key, row.value) for row in page.rows] == [("of/d1", ["milk", "eggs"])]


async def test_what_cannot_be_rebuilt_or_replayed_is_refused_by_name(two: list[Running]) -> None:
    url = two[0].node.url
    for arguments, name in (
        (("rebuild", "nobody"), "UnknownReadModel"),
        (("replay", "documents", "--from", "yesterday"), "InvalidInput"),
        (("replay", "items", "--from", "f" * 32 + "."), "TokenOfAnotherLog"),
    ):
        refused = await say(*arguments, url=url)
        assert (refused.code, refused.out) == (1, ""), arguments
        assert refused.err.startswith(f"{name}: "), refused.err
    both = await say("rebuild", "documents", "--roll-back", "--finish", url=url)
    assert both.code == 2
    assert await serving(two[0], "documents") == {0: 0, 1: 0}
