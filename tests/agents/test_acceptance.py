"""A document whose model gives other states than were recorded is shown again once accepted."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from docreactor.agents.acceptance import accept, is_acceptable
from docreactor.agents.log import Entry
from docreactor.agents.node import Node
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.finding import Fault, Finding
from docreactor.pipeline.job import Erasure, JobStatus
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State
from docreactor.tables.store import Row
from docreactor.tables.stream_check import Checked
from docreactor.tables.verification import Verdict, verify
from tests.support.nodes import Site, done, live, operations, site, total

STREAM = Stream("d", "global", "main")


class Ledger(State):
    total: int = 0


class Add(BaseModel):
    amount: int


def model(factor: int) -> DocumentModel:
    """Adds so many times the amount: another factor gives other states for the same actions."""
    made = DocumentModel("test/ledger", state=Ledger)

    @made.action(type="ADD")
    def add(state: Ledger, input: Add) -> Ledger:
        return state.replace(total=state.total + factor * input.amount)

    @made.action(type="FAIL")
    def fail(state: Ledger, input: Add) -> Ledger:
        raise ValueError("never")

    return made


def written(factor: int, before: Site | None = None) -> Site:
    """The same cluster and tables, under a model of this factor."""
    at = before or site(keyframe_policy="fixed", keyframe_interval=2)
    return Site(at.settings, [model(factor)], at.cluster, at.stores, at.jobs)


def checked(node: Node, at: Site) -> Checked:
    part = live(node)
    keyframes = part.tables.write.keyframes
    return Checked(part.replay, at.settings, part.operations, keyframes, part.documents)


async def verdict_of(node: Node, at: Site, document_id: str = "d") -> Verdict:
    part = live(node)
    await part.wait_view(part.operations_position(), 5.0)
    found = await verify(checked(node, at), document_id)
    assert found is not None
    return found


async def accepted(node: Node, document_id: str = "d") -> None:
    part = live(node)
    await accept(part.tables.write, node.registry, part.chores, document_id, node.now_us)
    await part.wait_view(part.operations_position(), 5.0)


async def quarantined(at: Site, *, adds: int = 5) -> Site:
    """Written under factor 1, and then read by a place that has factor 2 and no keyframes."""
    async with at.node() as node:
        await done(node, at.creation("d"))
        await done(node, at.job("d", [("ADD", {"amount": 1})] * adds))
        await done(node, at.job("d", [("FAIL", {"amount": 1})]))
    other = written(2, at)
    await other.write(other.topics.keyframes, *[entry(STREAM, label) for label in range(adds + 1)])
    other.stores = {}
    return other


def entry(stream: Stream, label: int) -> Entry:
    return Entry(record_key(stream, label), None)


async def test_what_was_set_aside_is_shown_again_and_written_to() -> None:
    at = await quarantined(written(1))
    async with at.node() as node:
        problem = live(node).documents.quarantine_of("d")
        assert problem is not None and problem["title"] == "HashMismatch"
        before = await verdict_of(node, at)
        assert {one.fault for one in before.findings} == {
            Fault.HASH_MISMATCH, Fault.QUARANTINED, Fault.VIEW_DIFFERS,
        }  # fmt: skip
        assert is_acceptable(before)
        stored = operations(node, "d")

        await accepted(node)

        assert live(node).documents.quarantine_of("d") is None
        assert await total(node, "d") == 10
        assert operations(node, "d") == stored, "stored operations never change"
        assert (await verdict_of(node, at)).findings == []
        result = await done(node, at.job("d", [("ADD", {"amount": 1})], ids=["later"]))
        assert result.status is JobStatus.READ_READY
        assert await total(node, "d") == 12
        assert (await verdict_of(node, at)).findings == []


async def test_it_stays_accepted_for_the_next_owner_and_for_an_empty_place() -> None:
    at = await quarantined(written(1))
    async with at.node() as node:
        await accepted(node)
        await done(node, at.job("d", [("ADD", {"amount": 1})] * 3, ids=["x", "y", "z"]))
    for place in (at.open_store, at.disk("empty")):
        async with written(2, at).node(open_store=place) as node:
            assert await total(node, "d") == 16
            assert (await verdict_of(node, at)).findings == []
    at.cluster.compact(at.topics.operations, with_tombstones=True)
    async with written(2, at).node(open_store=at.disk("compacted")) as node:
        assert await total(node, "d") == 16


async def test_a_view_that_is_read_from_the_beginning_comes_to_the_same() -> None:
    at = await quarantined(written(1))
    async with at.node() as node:
        await accepted(node)
        await done(node, at.job("d", [("ADD", {"amount": 1})], ids=["x"]))
    fresh = at.disk("view")

    def views_anew(name: str) -> Any:
        return fresh(name) if name.endswith("documents") else at.open_store(name)

    view = fresh("0/documents")
    view.begin(at.open_store("0/documents").identity)  # type: ignore[arg-type]
    view.write([], {at.topics.operations: 0}, now_ms=2**45)  # type: ignore[dict-item]
    async with written(2, at).node(open_store=views_anew) as node:
        assert await total(node, "d") == 12
        assert live(node).documents.quarantine_of("d") is None


async def test_what_was_accepted_is_what_the_present_model_gives() -> None:
    at = await quarantined(written(1))
    async with at.node() as node:
        await accepted(node)
    third = written(3, at)
    third.stores = {}
    async with third.node() as node:
        assert await total(node, "d") == 15
        assert (await verdict_of(node, third)).findings == []


async def test_an_erased_document_leaves_no_acceptance() -> None:
    at = await quarantined(written(1))
    async with at.node() as node:
        await accepted(node)

        await done(node, Erasure(id="e-0", document_id="d"))

        assert list(live(node).operations.lasting.accepted()) == []
        at.cluster.compact(at.topics.operations, with_tombstones=True)
        assert [record.key for record in at.records(at.topics.operations)] == [b"d/"]


async def test_a_document_that_is_not_there_is_left_alone() -> None:
    at = written(1)
    async with at.node() as node:
        await accepted(node, "nobody")

        assert at.records(at.topics.operations) == []


def test_what_is_left_off_may_be_anything_and_is_nobodys_to_accept() -> None:
    assert is_acceptable(verdict(Fault.HASH_MISMATCH))
    assert not is_acceptable(verdict(Fault.HASH_MISMATCH, Fault.MORE_FINDINGS))


def verdict(*faults: Fault, detail: str = "HashMismatch: other") -> Verdict:
    return Verdict("d", 3, [Finding(fault, "d", None, None, 0, detail) for fault in faults], [])


@pytest.mark.parametrize(
    ("faults", "acceptable"),
    [
        ([], False),
        ([Fault.HASH_MISMATCH], True),
        ([Fault.HASH_MISMATCH, Fault.QUARANTINED, Fault.VIEW_DIFFERS], True),
        ([Fault.QUARANTINED], True),
        ([Fault.VIEW_DIFFERS], False),
        ([Fault.CORRUPT_KEYFRAME], False),
        ([Fault.HASH_MISMATCH, Fault.BROKEN_CHAIN], False),
        ([Fault.HASH_MISMATCH, Fault.INDEX_GAP], False),
        ([Fault.HASH_MISMATCH, Fault.CORRUPT_HISTORY], False),
    ],
)
def test_only_other_states_are_acceptable(faults: list[Fault], acceptable: bool) -> None:
    assert is_acceptable(verdict(*faults)) is acceptable


def test_another_quarantine_is_not_acceptable() -> None:
    assert not is_acceptable(verdict(Fault.QUARANTINED, detail="ReducerTimeout: slow"))


async def test_tampering_is_not_acceptable() -> None:
    at = written(1)
    async with at.node() as node:
        await done(node, at.creation("d"))
        await done(node, at.job("d", [("ADD", {"amount": 1})] * 4))
        key = b"o/" + record_key(STREAM, 1)
        store = live(node).tables.write_store
        changed = operations(node, "d")[1].json
        changed["hash"] = "other"
        store.write([Row(key, encode(changed))], {}, now_ms=1)

        found = await verdict_of(node, at)

    assert {one.fault for one in found.findings} == {Fault.HASH_MISMATCH, Fault.BROKEN_CHAIN}
    assert not is_acceptable(found)
