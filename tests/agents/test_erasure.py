"""An erasure leaves nothing of a document but the fact, on every topic and in every table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from docreactor.agents.erasure import apart, erasure_of
from docreactor.agents.log import Entry, LogRecord
from docreactor.agents.node import Node
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.erased import Erased
from docreactor.pipeline.job import Erasure, Incoming, JobResult, JobStatus, Load, Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import StoredAction
from docreactor.tables.stream_check import Checked
from docreactor.tables.verification import verify
from tests.support.nodes import Site, done, live, site, total

SECRET = "correct-horse-battery"
TIME = "2026-01-02T03:04:05.000006Z"


def place() -> Site:
    """Keyframes at every second operation, in batches of a few jobs."""
    return site(keyframe_policy="fixed", keyframe_interval=2, batch_jobs_max=4)


async def fill(node: Node, at: Site, document_id: str, branch: str = "main") -> None:
    """A ledger with a secret in its name, in an action id and in a job's error."""
    await done(node, at.creation(document_id, branch=branch, name=SECRET, slug=SECRET))
    entries = [("ADD", {"amount": amount}) for amount in range(6)]
    ids = [f"{SECRET}-{document_id}-{branch}-{number}" for number in range(6)]
    await done(node, at.job(document_id, entries, branch=branch, ids=ids))
    failed = at.job(document_id, [("ADD", {"amount": 1})], ids=ids[:1], branch=branch)
    assert (await done(node, failed)).status is JobStatus.FAILED


async def erase(node: Node, at: Site, document_id: str) -> JobResult:
    at.jobs += 1
    return await done(node, Erasure(id=f"e{at.jobs}-0", document_id=document_id))


def load(at: Site, document_id: str) -> Load:
    at.jobs += 1
    action = StoredAction(id="late", type="ADD", scope="global", timestamp=TIME, input={})
    return Load(
        id=f"l{at.jobs}-0",
        document_id=document_id,
        branch="main",
        scope="global",
        operations=(Incoming(action=action),),
    )


def kept(at: Site, text: str, *, but: Sequence[str] = ()) -> list[str]:
    """Where a text still is: topics after compaction, and the rows of tables."""
    places: list[str] = []
    for topic in at.cluster.topics:
        at.cluster.compact(topic, with_tombstones=True)
        for record in at.records(topic):
            if text.encode() in (record.key or b"") + (record.value or b""):
                places.append(topic)
    for name, store in at.stores.items():
        for key, value in store.scan(b"", b"\xff"):
            if text.encode() in key + value:
                places.append(f"{name} {key!r}")
    return [one for one in places if not one.endswith(tuple(but))]


async def test_nothing_of_it_stays_but_the_fact() -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at, "d")
        await fill(node, at, "d", "draft")
        assert kept(at, SECRET)

        result = await erase(node, at, "d")

        assert result.status is JobStatus.READ_READY
        assert kept(at, SECRET, but=["actions", "dead-letters"]) == []
        erased = live(node).operations.erased("d")
        assert erased is not None
        (record,) = at.records(at.topics.operations)
        assert (record.key, record.value) == (b"d/", erased.encode())
        assert live(node).operations.streams_of("d") == []
        assert live(node).cache.peek(Stream("d", "global", "main")) is None
        assert await total(node, "d") is None
        assert live(node).documents.by_slug(SECRET, "main") is None


async def test_neighbours_stay_as_they_are() -> None:
    at = place()
    async with at.node() as node:
        for document_id in ("d", "d-1", "d.1", "d0", "dd"):
            await fill(node, at, document_id)

        await erase(node, at, "d")

        for document_id in ("d-1", "d.1", "d0", "dd"):
            await done(node, at.job(document_id, [("ADD", {"amount": 100})]))
            assert await total(node, document_id) == 115
            verdict = await verify_of(node, at, document_id)
            assert verdict == []


async def verify_of(node: Node, at: Site, document_id: str) -> Any:
    part = live(node)
    tables = Checked(
        part.replay, at.settings, part.operations, part.tables.write.keyframes, part.documents
    )
    verdict = await verify(tables, document_id)
    return None if verdict is None else list(verdict.findings)


async def test_later_writes_are_refused_by_name() -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at, "d")
        await erase(node, at, "d")

        refused = [
            await done(node, at.creation("d")),
            await done(node, at.job("d", [("ADD", {"amount": 1})])),
            await done(node, at.creation("d", branch="other")),
            await done(node, load(at, "d")),
        ]

    for result in refused:
        assert result.status is JobStatus.FAILED
        assert result.error is not None
        assert (result.error["title"], result.error["status"]) == ("DocumentErased", 410)
    (letter,) = at.records(at.topics.dead_letters)
    assert dict(letter.headers)["cause"] == b"DocumentErased"


async def test_erasing_again_is_done_at_once() -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at, "d")
        await erase(node, at, "d")
        before = at.records(at.topics.operations)

        again = await erase(node, at, "d")

        assert again.status is JobStatus.READ_READY
        assert at.records(at.topics.operations) == before


async def test_what_never_was_is_not_found_and_stays_free() -> None:
    at = place()
    async with at.node() as node:
        result = await erase(node, at, "nobody")
        assert result.error is not None and result.error["title"] == "DocumentNotFound"

        assert (await done(node, at.creation("nobody"))).status is JobStatus.READ_READY


@pytest.mark.parametrize("document_id", ["d/global", "d/", "..", ""])
async def test_an_id_that_no_key_can_carry_erases_nothing(document_id: str) -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at, "d")
        before = at.records(at.topics.operations)

        result = await erase(node, at, document_id)

        assert result.error is not None and result.error["title"] == "InvalidInput"
        assert at.records(at.topics.operations) == before
        assert await total(node, "d") == 15


async def test_jobs_that_wait_for_the_document_end() -> None:
    at = place()
    async with at.node() as node:
        waiting = load(at, "d")
        await node.submit(waiting)

        await erase(node, at, "d")

        result = live(node).jobs.get(waiting.id)
        assert result is not None and result.error is not None
        assert result.error["title"] == "DocumentErased"
        assert list(live(node).tables.deferred.every()) == []
        assert at.records(at.topics.deferred)[-1].value is None


@pytest.mark.parametrize("compacted", [False, True])
async def test_a_new_place_restores_nothing_of_it(compacted: bool) -> None:
    at = place()
    async with at.node() as node:
        await fill(node, at, "d")
        await fill(node, at, "other")
        await erase(node, at, "d")
    if compacted:
        for topic in at.cluster.topics:
            at.cluster.compact(topic, with_tombstones=True)

    async with at.node(open_store=at.disk("new")) as node:
        assert live(node).operations.erased("d") is not None
        assert await total(node, "d") is None
        assert await total(node, "other") == 15
        result = await done(node, at.job("d", [("ADD", {"amount": 1})]))
        assert result.error is not None and result.error["title"] == "DocumentErased"
    stores = {name: store for name, store in at.stores.items() if name.startswith("new/")}
    for store in stores.values():
        assert not [key for key, _ in store.scan(b"", b"\xff") if b"/d/" in key]


async def test_a_table_that_was_away_forgets_what_was_erased_meanwhile() -> None:
    at = place()
    async with at.node(open_store=at.disk("first")) as node:
        await fill(node, at, "d")
    async with at.node(open_store=at.disk("second")) as node:
        await erase(node, at, "d")

    async with at.node(open_store=at.disk("first")) as node:
        assert await total(node, "d") is None
        assert live(node).operations.streams_of("d") == []
    rows = [pair for name, one in at.stores.items() for pair in one.scan(b"", b"\xff")]
    assert not [key for key, value in rows if SECRET.encode() in key + value]


async def test_what_stands_before_it_in_the_same_batch_is_erased_too() -> None:
    at = place()
    creation = at.creation("d", name=SECRET)
    after = at.job("other", [("ADD", {"amount": 1})])
    jobs: list[Any] = [creation, Erasure(id="e-0", document_id="d"), at.creation("other"), after]
    await at.enqueue(*jobs)
    async with at.node() as node:
        result = await live(node).wait_job(after.id, offset=3, until="read", timeout_s=10)

        assert result.status is JobStatus.READ_READY
        assert await total(node, "d") is None
        assert await total(node, "other") == 1
    assert kept(at, SECRET, but=["actions"]) == []


def record(job: Mutation | Erasure | bytes) -> LogRecord:
    at = place()
    value = job if isinstance(job, bytes) else encode(job.json)
    at.cluster.append({at.source(at.topics.actions): [Entry(b"k", value)]}, None)
    (found,) = at.records(at.topics.actions)
    one: LogRecord = found
    return one


def test_only_an_erasure_is_taken_for_one() -> None:
    at = place()
    deceptive = at.job("d", [("ADD", {"kind": "erasure"})])

    assert erasure_of(record(Erasure(id="e-0", document_id="d"))) == Erasure("e-0", "d")
    assert erasure_of(record(deceptive)) is None
    assert erasure_of(record(b'{"kind":"erasure"}')) is None
    assert erasure_of(record(b"")) is None


def test_each_erasure_stands_apart() -> None:
    at = place()
    job, erasure = record(at.creation("d")), record(Erasure(id="e-0", document_id="d"))

    assert [len(part) for part in apart([job, job, erasure, erasure, job])] == [2, 1, 1, 1]
    assert [len(part) for part in apart([erasure])] == [1]
    assert [len(part) for part in apart([job, job])] == [2]


def test_the_lasting_record_says_when() -> None:
    assert Erased.decode(Erased("d", TIME).encode()).erased_at == TIME
