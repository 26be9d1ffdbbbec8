"""Keyframes are made again through the owner's lane, on the topic and in the table."""

from __future__ import annotations

import pytest

from docreactor.agents.keyframing import make_keyframes
from docreactor.agents.node import Node
from docreactor.pipeline.keys import Stream, record_key
from docreactor.tables.keyframes import keyframe_rows
from docreactor.tables.store import Row
from docreactor.tables.stream_check import Checked
from docreactor.tables.verification import verify
from tests.support.nodes import Site, done, live, site

STREAM = Stream("d", "global", "main")


def tables_of(node: Node, at: Site) -> Checked:
    part = live(node)
    keyframes = part.tables.write.keyframes
    return Checked(part.replay, at.settings, part.operations, keyframes, part.documents)


def place(interval: int = 4) -> Site:
    return site(keyframe_policy="fixed", keyframe_interval=interval, keyframes_kept=3)


async def fill(node: Node, at: Site, adds: int = 30) -> None:
    await done(node, at.creation("d"))
    await done(node, at.job("d", [("ADD", {"amount": 1})] * adds))


def labels(node: Node) -> list[int]:
    return list(live(node).tables.write.keyframes.labels(STREAM))


async def test_what_is_made_is_what_the_reducer_had_made() -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at)
        before = {label: live(node).tables.write.keyframes.get(STREAM, label)
                  for label in labels(node)}  # fmt: skip

        made = await make_keyframes(tables_of(node, at), live(node).chores, "d")

        assert made is not None
        assert (made.removed, made.stored, made.findings) == (len(before), len(before), [])
        assert {label: live(node).tables.write.keyframes.get(STREAM, label)
                for label in labels(node)} == before  # fmt: skip


async def test_what_was_corrupt_or_too_much_is_right_again_for_the_next_owner_too() -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at)
        rows = [Row(record_key(STREAM, label), b"{}") for label in (4, 5, 28)]
        live(node).tables.write_store.write(keyframe_rows(rows), {}, now_ms=1)
        before = await verify(tables_of(node, at), "d")

        await make_keyframes(tables_of(node, at), live(node).chores, "d")

        after = await verify(tables_of(node, at), "d")
    assert before is not None and len(before.findings) == 3
    assert after is not None and after.findings == []
    async with at.node(open_store=at.disk("new")) as node:
        assert labels(node) == [28, 24, 20, 4]
        verdict = await verify(tables_of(node, at), "d")
        assert verdict is not None and verdict.findings == []


async def test_another_policy_gives_other_keyframes() -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at)
    other = Site(place(interval=10).settings, cluster=at.cluster, stores=at.stores, jobs=at.jobs)
    async with other.node() as node:
        await make_keyframes(tables_of(node, other), live(node).chores, "d")

        assert labels(node) == [20, 10]
        await done(node, other.job("d", [("ADD", {"amount": 1})] * 11))
        assert labels(node) == [40, 30, 20, 10]


async def test_what_cannot_be_replayed_has_keyframes_up_to_there() -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at)
        store, key = live(node).tables.write_store, b"o/" + record_key(STREAM, 17)
        store.write([Row(key, b"{}")], {}, now_ms=1)

        made = await make_keyframes(tables_of(node, at), live(node).chores, "d")

        assert made is not None
        assert [(one.fault.value, one.scope) for one in made.findings] == [
            ("CorruptHistory", "global")
        ]
        assert labels(node) == [16, 12, 8, 4]


async def test_writes_go_on_meanwhile() -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at, adds=400)
        jobs = [at.job("d", [("ADD", {"amount": 1})] * 5) for _ in range(10)]
        for job in jobs:
            await node.submit(job)

        await make_keyframes(tables_of(node, at), live(node).chores, "d")

        await done(node, at.job("d", [("ADD", {"amount": 1})]))
        verdict = await verify(tables_of(node, at), "d")
        assert verdict is not None and verdict.findings == []
        assert labels(node)[0] == 448


async def test_a_document_that_is_not_there_is_none() -> None:
    at = place()
    async with at.node() as node:
        assert await make_keyframes(tables_of(node, at), live(node).chores, "nobody") is None


@pytest.mark.parametrize("size", [1, 500])
async def test_many_keyframes_take_several_transactions(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docreactor.agents.keyframing._BYTES_AT_ONCE", size)
    at = place()
    async with at.node() as node:
        await fill(node, at)
        count = len(labels(node))

        made = await make_keyframes(tables_of(node, at), live(node).chores, "d")

        assert made is not None and made.stored == count
        assert len(labels(node)) == count
