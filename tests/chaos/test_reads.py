"""Whoever has a write's token reads that write at any node, also while a node dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog

from docreactor.bench.timings import spread
from tests.support.kafka import Kafka
from tests.support.ordeal import Ordeal, ordeal, until
from tests.support.staleness import Checker, Findings, open_checker
from tests.support.subjects import Counted, Subject, Tied
from tests.support.workers import WorkerProcess, positions

_log = structlog.get_logger(__name__)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]


class Pace(NamedTuple):
    """Writes a second, for so long, to so many subjects of each kind.

    One must be free for nearly each write, also while some of their partitions have no owner.
    """

    per_s: float
    seconds: float
    subjects: int
    written_min: float

    @property
    def due(self) -> int:
        return round(self.per_s * self.seconds)


PACES = [
    pytest.param(Pace(50.0, 6.0, 50, 0.5), id="short"),
    pytest.param(Pace(200.0, 60.0, 150, 0.99), id="full", marks=pytest.mark.chaos),
]


def _subjects(count: int) -> Sequence[Subject]:
    kinds: Sequence[type[Subject]] = (Counted, Tied)
    return [kind(f"{kind.__name__.lower()}-{at}") for at in range(count) for kind in kinds]


@asynccontextmanager
async def _deployment(scene: Ordeal, pace: Pace) -> AsyncIterator[tuple[Checker, WorkerProcess]]:
    """Two workers that share the partitions, a gateway, a checker of all; one of the workers."""
    first, second, gateway = (scene.worker(name) for name in ("first", "second", "gateway"))
    gateway.options = ("--only", "gateway")
    workers = (first, second, gateway)
    for worker in workers:
        worker.environment = {}
        worker.start()
    try:
        urls = [await worker.await_ready() for worker in workers]
        # A node that comes back is found where it was.
        second.port = int(second.url.rpartition(":")[2])
        await until(lambda: _is_shared(gateway.url))
        async with open_checker(urls, _subjects(pace.subjects)) as checker:
            await checker.create()
            yield checker, second
    finally:
        for worker in workers:
            worker.kill()


async def _is_shared(url: str) -> bool:
    owners = {row["url"] for row in await positions(url) if row["kind"] == "reducer"}
    return len(owners) == 2


def _judge(findings: Findings, pace: Pace) -> None:
    # Shown with -rP.
    _log.info(
        "judged",
        writes=findings.writes,
        reads=findings.reads,
        skipped=findings.skipped,
        refused=dict(findings.refused),
        stale=len(findings.stale),
        errors=len(findings.errors),
        write_ms=spread(findings.write_s),
        read_ms=spread(findings.read_s),
    )
    assert findings.stale == []
    assert findings.errors == []
    assert findings.writes + findings.skipped == pace.due
    assert findings.writes >= pace.written_min * pace.due


@pytest.mark.parametrize("pace", PACES)
async def test_every_write_is_read_at_another_node_by_its_token(
    kafka: Kafka, app: str, tmp_path: Path, pace: Pace
) -> None:
    async with (
        ordeal(kafka.bootstrap_servers, app, tmp_path, documents=0, seed=5) as scene,
        _deployment(scene, pace) as (checker, _),
    ):
        await checker.run(per_s=pace.per_s, seconds=pace.seconds)
        await checker.compare()

    _judge(checker.findings, pace)
    assert not checker.findings.refused


@pytest.mark.parametrize("pace", PACES)
async def test_while_a_worker_is_killed_a_read_is_refused_or_whole(
    kafka: Kafka, app: str, tmp_path: Path, pace: Pace
) -> None:
    async with (
        ordeal(kafka.bootstrap_servers, app, tmp_path, documents=0, seed=6) as scene,
        _deployment(scene, pace) as (checker, worker),
    ):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(checker.run(per_s=pace.per_s, seconds=pace.seconds))
            await asyncio.sleep(pace.seconds / 3)
            worker.kill()
            await asyncio.sleep(pace.seconds / 6)
            worker.start()
            await worker.await_ready()
        await checker.compare()

    _judge(checker.findings, pace)
    assert checker.findings.refused
