"""A read model is built anew on a real Kafka and a real disk, amid writes, reads and deaths."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import pytest
import structlog

from docreactor.bench.timings import spread
from docreactor.gateway.client import Reactor
from docreactor.tables.rocks import RocksStore
from tests.agents.test_erasure_on_disk import holds
from tests.gateway.cli.running import say
from tests.support.history import PARTITIONS
from tests.support.kafka import Kafka
from tests.support.ordeal import Ordeal, ordeal, until
from tests.support.staleness import Checker, open_checker
from tests.support.subjects import Counted
from tests.support.workers import WorkerProcess, positions

_log = structlog.get_logger(__name__)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(590)]

NAME = "documents"


class Size(NamedTuple):
    """Operations that are there before, writes a second, and how long those go on before."""

    operations: int
    per_s: float
    before_s: float


SIZES = [
    pytest.param(Size(2_000, 20.0, 1.0), id="short"),
    pytest.param(Size(20_000, 40.0, 20.0), id="full", marks=pytest.mark.chaos),
]


@asynccontextmanager
async def _deployment(scene: Ordeal) -> AsyncIterator[tuple[WorkerProcess, WorkerProcess]]:
    """A worker, and a gateway alone."""
    worker, gateway = scene.worker("worker"), scene.worker("gateway")
    gateway.options = ("--only", "gateway")
    for one in (worker, gateway):
        # On a machine that is busy nobody is to lose its partitions for that.
        one.environment = {"DOCREACTOR_SESSION_TIMEOUT_MS": "30000"}
        one.start()
    try:
        for one in (worker, gateway):
            await one.await_ready()
        # A node that comes back is found where it was.
        worker.port = int(worker.url.rpartition(":")[2])
        yield worker, gateway
    finally:
        for one in (worker, gateway):
            one.kill()


async def _serving(url: str, generation: int) -> bool:
    rows = [row for row in await positions(url) if row["name"] == NAME]
    at = {row["partition"]: row["generation"] for row in rows if row["serving"]}
    return at == dict.fromkeys(range(PARTITIONS), generation)


async def _until_serving(url: str, generation: int) -> None:
    async def is_so() -> bool:
        return await _serving(url, generation)

    await until(is_so)


async def _until_amid(url: str, generation: int) -> None:
    """Wait until some of the rows of a generation are there, and not all."""

    async def is_so() -> bool:
        rows = [row for row in await positions(url) if row["name"] == NAME]
        return any(row["next_offset"] for row in rows if row["generation"] == generation)

    await until(is_so)
    assert not await _serving(url, generation), "it was too fast to be killed amid"


async def _rebuilt(url: str, checker: Checker, size: Size) -> None:
    """Write and read without a pause, before a rebuild, while it runs, and after."""
    findings, is_done = checker.findings, asyncio.Event()

    async def write_and_read() -> None:
        while not is_done.is_set():
            await checker.run(per_s=size.per_s, seconds=1.0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write_and_read())
        await asyncio.sleep(size.before_s)  # how it is before is the matter here
        before, begun = len(findings.read_s), perf_counter()
        said = await say("rebuild", NAME, "--json", url=url)
        took_s, seen = perf_counter() - begun, len(findings.read_s)
        assert said.code == 0, said.err
        assert said.json["generation"] == 1
        assert await _serving(url, 1)
        is_done.set()
    await checker.compare()
    # Shown with -rP.
    _log.info(
        "rebuilt",
        took_s=round(took_s, 2),
        writes=findings.writes,
        reads=findings.reads,
        skipped=findings.skipped,
        before_ms=spread(findings.read_s[:before]),
        meanwhile_ms=spread(findings.read_s[before:seen]),
    )
    assert (findings.stale, findings.errors) == ([], [])
    assert not findings.refused
    assert before < seen


def _stores(worker: WorkerProcess, names: Sequence[str]) -> list[Path]:
    """The directories of documents tables of these names, in every partition."""
    found = [path.parent for path in worker.data.rglob("CURRENT")]
    return sorted(path for path in found if path.name in names)


def _rows(directory: Path) -> int:
    store = RocksStore.open(directory)
    try:
        return sum(1 for _ in store.scan(b"", b"\xff" * 64))
    finally:
        store.close()


@pytest.mark.parametrize("size", SIZES)
async def test_a_rebuild_is_seen_by_nobody_outlives_kill_9_and_leaves_nothing_behind(
    kafka: Kafka, app: str, tmp_path: Path, size: Size
) -> None:
    text = secrets.token_hex(24)
    async with (
        ordeal(kafka.bootstrap_servers, app, tmp_path, documents=50, seed=7) as scene,
        _deployment(scene) as (worker, gateway),
        Reactor(gateway.url, retry_for_s=30.0) as reactor,
    ):
        url = worker.url
        await scene.feed(size.operations)
        await scene.until_done(url)
        await reactor.create("test/ledger", id="named", slug=text, wait="read")
        async with open_checker(
            [url, gateway.url], [Counted(f"counted-{number}") for number in range(60)]
        ) as checker:
            await checker.create()
            await _rebuilt(url, checker, size)

            # The next to be killed is missed soon.
            assert await asyncio.to_thread(worker.stop) == 0
            worker.environment = {}
            worker.start()
            await worker.await_ready()
            assert await _serving(url, 1)
            assert (await reactor.rebuild(NAME)).generation == 2
            await _until_amid(url, 2)
            worker.kill()
            worker.start()
            await worker.await_ready()
            await _until_serving(url, 2)
            await checker.run(per_s=size.per_s, seconds=1.0)
            await checker.compare()
            assert (checker.findings.stale, checker.findings.errors) == ([], [])
        assert await scene.load.wrong_documents(gateway.url) == []

        old = [NAME, f"{NAME}-1"]
        assert len(_stores(worker, old)) == 2 * PARTITIONS
        assert list((await reactor.finish(NAME)).versions) == ["2"]
        worker.kill()
        worker.start()
        await worker.await_ready()
        await until(lambda: _has_one_generation(url))
        assert await asyncio.to_thread(worker.stop) == 0
        assert [_rows(path) for path in _stores(worker, old)] == [0] * len(_stores(worker, old))
        assert all(_rows(path) for path in _stores(worker, [f"{NAME}-2"]))
        files = [one for path in _stores(worker, old) for one in path.iterdir() if one.is_file()]
        assert holds(files, text) == []


async def _has_one_generation(url: str) -> bool:
    return {row["generation"] for row in await positions(url) if row["name"] == NAME} == {2}
