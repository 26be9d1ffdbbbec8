"""The command that shows what happens."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import orjson

from tests.gateway.cli.running import say
from tests.gateway.deployment import Running, several_nodes


async def following(*options: str, one: Running) -> asyncio.subprocess.Process:
    """The command in a process of its own, from the moment when it is live."""
    variables = {name: value for name, value in os.environ.items() if "DOCREACTOR" not in name}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "docreactor.gateway.cli",
        "events",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**variables, "DOCREACTOR_URL": str(one.http.base_url)},
    )
    async with asyncio.timeout(60):
        while "docreactor_event_subscribers 1.0" not in (await one.http.get("/metrics")).text:
            pass
    return process


async def lines(process: asyncio.subprocess.Process, count: int) -> list[str]:
    """The next lines that it prints."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return [(await process.stdout.readline()).decode().rstrip("\n") for _ in range(count)]


async def stopped(process: asyncio.subprocess.Process) -> tuple[int | None, bytes, bytes]:
    """How it ends, and what else it says, when it is told to stop."""
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        rest, complaint = await process.communicate()
    return process.returncode, rest, complaint


async def test_it_prints_a_line_for_each_event_until_it_is_interrupted() -> None:
    async with several_nodes(1) as (one,):
        process = await following(one=one)
        await one.create("shop-1")
        created = await lines(process, 1)
        await one.reactor.relate("shop-1", "shop-2", "knows")
        related = await lines(process, 2)
        await one.reactor.erase("shop-1")
        rest = await lines(process, 2)

        assert await stopped(process) == (0, b"", b"")

    assert created == ["document.created      shop-1  example/todo  document  main"]
    assert sorted(related) == [
        "document.updated      shop-1  example/todo  document  main",
        "relationship.changed  shop-1 -knows-> shop-2  added  main",
    ]
    assert sorted(rest) == [
        "document.deleted      shop-1  erased",
        "relationship.changed  shop-1 -knows-> shop-2  removed  main",
    ]


async def test_each_is_a_line_of_json_and_its_cursor_goes_on_behind_it() -> None:
    async with several_nodes(1) as (one,):
        process = await following("--json", "--events", "document.updated", one=one)
        await one.create("shop-1")
        for text in ("Milk", "Bread"):
            await one.add("shop-1", text)
        first, second = map(orjson.loads, await lines(process, 2))
        assert (await stopped(process))[0] == 0
        again = await following(
            "--json", "--events", "document.updated", "--cursor", first["cursor"], one=one
        )
        assert list(map(orjson.loads, await lines(again, 1))) == [second]
        assert (await stopped(again))[0] == 0


async def test_a_filter_that_cannot_be_is_an_error_by_its_name() -> None:
    async with several_nodes(1) as (one,):
        said = await say("events", "--events", "moved", url=str(one.http.base_url))

    assert said.code == 1
    assert said.err.startswith("InvalidInput: events")
