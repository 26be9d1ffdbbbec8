"""`verify` and `erase` from the command line: what they say, and their exit codes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from docreactor.pipeline.keys import Stream, record_key
from docreactor.tables.keyframes import keyframe_rows
from docreactor.tables.store import Row
from tests.gateway.cli.running import say
from tests.gateway.deployment import Running, several_nodes
from tests.support.nodes import live


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with several_nodes(1, partitions=2) as (running,):
        for number in range(5):
            await running.create(f"d{number}")
        yield running


def corrupt(running: Running, document_id: str) -> None:
    part = live(running.node, running.node.partition_of(document_id))
    key = record_key(Stream(document_id, "document", "main"), 1)
    part.tables.write_store.write(keyframe_rows([Row(key, b"{}")]), {}, now_ms=1)


async def test_what_is_right_ends_with_zero(running: Running) -> None:
    one = await say("verify", "d0", "d1", url=running.node.url)
    every = await say("verify", "--all", "--json", url=running.node.url)

    assert one.code == 0, one.err
    assert "findings    0" in one.out
    assert every.code == 0
    assert every.json == {"documents": 5, "operations": 10, "accepted": 0, "findings": []}


async def test_what_is_wrong_is_listed_and_ends_with_one(running: Running) -> None:
    corrupt(running, "d3")

    every = await say("verify", "--all", url=running.node.url)
    one = await say("verify", "d3", "--json", url=running.node.url)

    assert every.code == 1
    assert "CorruptKeyframe" in every.out
    assert one.code == 1
    assert [finding["document_id"] for finding in one.json["findings"]] == ["d3"]


async def test_neither_documents_nor_all_is_wrong_usage(running: Running) -> None:
    assert (await say("verify", url=running.node.url)).code == 2
    assert (await say("verify", "d0", "--all", url=running.node.url)).code == 2


async def test_erasing_asks_first(running: Running) -> None:
    no = await say("erase", "d0", url=running.node.url, stdin="n\n")
    still = await say("get", "d0", "--json", url=running.node.url)
    yes = await say("erase", "d0", url=running.node.url, stdin="y\n")
    gone = await say("get", "d0", url=running.node.url)

    assert no.code == 1
    assert "for ever" in no.err
    assert still.code == 0
    assert yes.code == 0, yes.err
    assert "READ_READY" in yes.out
    assert "Notice: the topics actions and dead-letters keep it" in yes.err
    assert gone.code == 1
    assert gone.err.splitlines()[-1].startswith("DocumentErased: ")


async def test_a_program_erases_without_being_asked(running: Running) -> None:
    erased = await say("erase", "d1", "--yes", "--json", url=running.node.url)

    assert erased.code == 0, erased.err
    assert erased.json["status"] == "READ_READY"
    assert "dead-letters" in erased.json["notice"]


async def test_accepting_what_is_right_changes_nothing(running: Running) -> None:
    accepted = await say("verify", "--all", "--accept", "--json", url=running.node.url)

    assert accepted.code == 0, accepted.err
    assert accepted.json == {"documents": 5, "operations": 10, "accepted": 0, "findings": []}
