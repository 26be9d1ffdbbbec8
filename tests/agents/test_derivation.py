"""Documents derived anew in one read model, while that goes on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from docreactor.agents.log import Entry
from docreactor.pipeline.errors import RestoringError
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.position import Offset
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.pipeline.registry import Registry
from tests.agents.test_read_models import COUNTS, Counts
from tests.support.ledger import ledger
from tests.support.nodes import done, live, site, total, until

ADD = "ADD"


async def test_a_document_that_was_set_aside_comes_back_with_all_that_was_written_since() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await done(node, place.job("d1", [(ADD, {"amount": 1})]))
        last = place.records(place.topics.operations)[-1]
        await place.write(place.topics.operations, Entry(last.key, last.value))
        derived = live(node).derived()
        await until(lambda: [one[:2] for one in derived.quarantined()] != [])
        await done(node, place.job("d1", [(ADD, {"amount": 2})]))
        assert live(node).derived().holding("d1", is_shown=True).keys() == {"documents"}

        derived = live(node).derived()
        await derived.retry("documents", "d1")

        assert list(derived.quarantined("documents")) == []
        assert derived.holding("d1", is_shown=True) == {}
        await done(node, place.job("d1", [(ADD, {"amount": 4})]))
        assert await total(node, "d1") == 7


async def test_one_that_is_cleared_goes_on_as_it_was_left() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        (first, *_) = place.records(place.topics.operations)
        await place.write(place.topics.operations, Entry(first.key, first.value))
        derived = live(node).derived()
        await until(lambda: list(derived.quarantined()))
        await derived.clear("documents", "d1")
        assert list(derived.quarantined()) == []
        await done(node, place.job("d1", [(ADD, {"amount": 3})]))
        assert await total(node, "d1") == 3


async def test_a_replay_goes_page_by_page_from_where_it_is_told() -> None:
    place = site()
    async with place.node() as node:
        for number in range(3):
            await done(node, place.creation(f"d{number}"))
        await until(lambda: live(node).viewed.next_offset >= live(node).written.next_offset)
        derived, since, pages = live(node).derived(), Offset(0), list[int]()
        while True:
            page = await derived.replay("documents", since, count_max=1)
            pages.append(page.documents)
            if page.next_offset is None:
                break
            assert page.next_offset > since
            since = page.next_offset
        assert sum(pages) == 6
        assert (await derived.replay("documents", Offset(10_000), count_max=5)).documents == 0
        with pytest.raises(RestoringError):
            await derived.retry("nobody", "d1")


async def test_a_document_of_a_new_version_is_retried_although_rows_of_the_old_one_are_kept() -> (
    None
):
    place = site()
    async with place.node(registry=Registry([ledger, Picky()])) as node:
        await done(node, place.creation("d1"))
        await until(lambda: "picky" in node.coordinator.required)
    picky = Picky(version=2)
    async with place.node(registry=Registry([ledger, picky])) as node:
        await until(lambda: live(node).serving("picky", None).generation == 1)
        picky.refused = "d1"
        await done(node, place.job("d1", [(ADD, {"amount": 1})]))
        derived = live(node).derived()
        await until(lambda: [one[:2] for one in derived.quarantined()] == [("picky", "d1")])
        told = [row["generation"] for row in node.positions() if row["name"] == "picky"]
        assert told == [0, 1]
        picky.refused = ""
        await derived.retry("picky", "d1")
        assert list(derived.quarantined()) == []


class Picky(ReadModel):
    """How many operations each document has; it refuses what it is told to."""

    name = "picky"

    def __init__(self, version: int = 1) -> None:
        self.version = version
        self.refused = ""

    def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        for change in batch:
            if change.document_id == self.refused:
                raise ValueError("it is refused")
            writer.put(change.document_id, writer.get(change.document_id, 0) + 1)


async def test_a_document_is_taken_back_while_rows_of_the_version_before_are_kept() -> None:
    place = site()
    async with place.node(registry=Registry([ledger, Counts()])) as node:
        await done(node, place.creation("d1"))
        await until(lambda: COUNTS in node.coordinator.required)
    counts = Counts(version=2, refused="d1")
    async with place.node(registry=Registry([ledger, counts])) as node:
        await until(lambda: live(node).serving(COUNTS, None).generation == 1)
        derived = live(node).derived()
        assert [one[:2] for one in derived.quarantined()] == [(COUNTS, "d1")]
        counts.refused = ""
        await derived.retry(COUNTS, "d1")
        assert list(derived.quarantined()) == []


async def test_jobs_are_told_of_by_a_worker_that_lacks_the_version_that_serves() -> None:
    place = site()
    async with place.node(registry=Registry([ledger, Counts()])) as node:
        await done(node, place.creation("d1"))
        await until(lambda: COUNTS in node.coordinator.required)
    async with place.node(registry=Registry([ledger, Counts(version=2)])) as node:
        await until(lambda: live(node).serving(COUNTS, None).generation == 1)
        await done(node, place.job("d1", [(ADD, {"amount": 1})]))
    async with place.node(registry=Registry([ledger, Counts()])) as node:
        job = place.job("d1", [(ADD, {"amount": 2})])
        offset = await node.submit(job)
        await live(node).wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        held = live(node).job(job.id)
        assert held is not None
        assert held.status is JobStatus.WRITE_READY
        assert "no read model counts version 2" in str(held.held_by)
        with pytest.raises(RestoringError):
            live(node).serving(COUNTS, None)
