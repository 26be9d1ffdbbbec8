"""Workers that lack a model, or a version of one, beside workers that have it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from docreactor.agents.board import attempts_key
from docreactor.agents.node import Node
from docreactor.pipeline.canonical import decode
from docreactor.pipeline.job import JobStatus, Mutation
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.packages import Packages
from docreactor.pipeline.registry import Registry
from tests.support.nodes import Site, counted, done, live, site, until, until_ready
from tests.support.package import install
from tests.support.tally import (
    TALLY,
    add,
    creation,
    release,
    row,
    shown,
    tally_site,
    upgrade,
    waits,
)

LATE = """
from docreactor import DocumentModel
late = DocumentModel("test/late", state=dict)

@late.action(type="SET")
def put(state, input):
    return {**state, **input}
"""


async def _end(node: Node, *jobs: Mutation) -> list[JobStatus]:
    waits = [live(node).wait_job(job.id, offset=None, until="read", timeout_s=10.0) for job in jobs]
    return [result.status for result in await asyncio.gather(*waits)]


async def _pending(node: Node, *jobs: Mutation) -> bool:
    """Whether none of them has begun."""
    after = live(node).consumed.next_offset + len(jobs) - 1
    waits = [live(node).wait_job(job.id, offset=after, until=None, timeout_s=0.0) for job in jobs]
    return {result.status for result in await asyncio.gather(*waits)} == {JobStatus.PENDING}


def _failed(place: Site) -> list[Any]:
    """Every sign of a job that failed."""
    results = [decode(record.value) for record in place.records(place.topics.jobs)]
    failed = [result for result in results if result["status"] == "FAILED"]
    return failed + place.records(place.topics.dead_letters)


async def test_jobs_of_a_version_that_a_worker_lacks_wait_for_a_worker_that_has_it() -> None:
    place = tally_site()
    async with AsyncExitStack() as leaving:
        old = await leaving.enter_async_context(
            place.node(url="http://old", open_store=place.disk("old"))
        )
        await done(old, creation(place, "d1"))
        await done(old, add(place, "d1", 1))
        committed = place.committed()
        jobs = [upgrade(place, "d1"), add(place, "d1", 2), add(place, "d1", 4)]
        await place.enqueue(*jobs)

        await waits(old, "reducer", f"model {TALLY} version 2")
        # It consumes nothing and fails nobody, and what it shows may be asked.
        assert old.ready()
        assert shown(old, "d1") == {"total": 1}
        assert await _pending(old, *jobs)
        assert place.committed() == committed
        place.models = (release(2),)
        async with place.node(url="http://new", open_store=place.disk("new"), ready=False) as new:
            # Two members of the group now; the partition is still the old one's.
            await until(lambda: old.local(0) and row(old, "reducer")["epoch"] == 2)
            await waits(old, "reducer", f"model {TALLY} version 2")
            await leaving.aclose()
            await until(lambda: new.local(0))

            assert await _end(new, *jobs) == [JobStatus.READ_READY] * 3
            assert shown(new, "d1") == {"count": 2, "total": 7}
            assert row(new, "reducer")["error"] is None
    assert _failed(place) == []


async def test_a_lane_that_waits_keeps_its_lease_and_leaves_at_once() -> None:
    place = tally_site(session_timeout_ms=600)
    async with place.node() as node:
        await done(node, creation(place, "d1"))
        epoch, proofs = row(node, "reducer")["epoch"], place.committed()
        await place.enqueue(creation(place, "d2", version=2), add(place, "d2", 1))
        await waits(node, "reducer", f"model {TALLY} version 2")
        # Four leases long.
        until_s = time.monotonic() + 1.2
        while time.monotonic() < until_s:
            assert live(node)
            await asyncio.sleep(0)
        assert (row(node, "reducer")["epoch"], place.committed()) == (epoch, proofs)
        assert counted(node, "errors_total", name="UnknownModel") == 1
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 1.0


async def test_a_worker_that_dies_while_it_waits_is_not_held_against_the_jobs() -> None:
    place = tally_site()
    async with place.node() as node:
        await done(node, creation(place, "d1"))
        await place.enqueue(creation(place, "d2", version=2), add(place, "d2", 1))
        await waits(node, "reducer", f"model {TALLY} version 2")
        # What the next owner would find if this one were killed here.
        told = place.records(place.topics.positions)
        rows = [decode(one.value) for one in told if one.key == attempts_key(0).encode()]
        assert (rows[-1]["count"], rows[-1]["alone"]) == (0, None)


async def test_a_model_that_is_installed_meanwhile_lets_the_jobs_go_on(
    tmp_path: Path, late: None
) -> None:
    place = site()
    registry = Registry([], Packages(time.monotonic))
    async with place.node(registry=registry) as node:
        create = place.creation("d1", model="test/late")
        jobs = [create, place.job("d1", [("SET", {"a": 1})])]
        await place.enqueue(*jobs)
        await waits(node, "reducer", "model test/late")
        epoch = row(node, "reducer")["epoch"]

        install(tmp_path, "late_package", LATE)

        assert await _end(node, *jobs) == [JobStatus.READ_READY] * 2
        assert shown(node, "d1") == {"a": 1}
        await until(lambda: row(node, "reducer")["error"] is None)
        # The same life went on.
        assert row(node, "reducer")["epoch"] == epoch
    assert _failed(place) == []


async def test_a_partition_that_cannot_be_taken_over_without_a_model_is_when_it_is_installed(
    tmp_path: Path, late: None
) -> None:
    place = site()
    model = DocumentModel("test/late", state=dict)
    model.action(type="SET")(lambda state, input: {**state, **input})
    async with place.node(registry=Registry([model])) as node:
        for job in (
            place.creation("d1", model="test/late"),
            place.job("d1", [("SET", {"a": 1})]),
        ):
            assert (await done(node, job)).error is None

    # Everything must be shown anew.
    del place.stores["0/documents"]
    registry = Registry([], Packages(time.monotonic))
    async with place.node(registry=registry, ready=False) as node:
        begin = "UnknownModel: no model test/late is loaded"
        await until(lambda: node.positions() and begin in str(row(node, "reducer")["error"]))
        assert not node.ready()

        install(tmp_path, "late_package", LATE)

        await until_ready(node)
        assert shown(node, "d1") == {"a": 1}


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of the path where a package may be installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("late_package", None)
