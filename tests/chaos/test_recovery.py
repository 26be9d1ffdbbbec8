"""What a worker finds when it comes back: its tables, or none, or a broker that was gone."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from docreactor.pipeline.settings import Settings
from docreactor.tables.rocks import RocksStore
from tests.support.history import PARTITIONS
from tests.support.kafka import Kafka
from tests.support.ordeal import Ordeal, ordeal
from tests.support.own_kafka import OwnKafka
from tests.support.workers import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

ACTIONS = [1_000, pytest.param(20_000, marks=pytest.mark.chaos)]
_RESTORED = re.compile(r"^docreactor_restored_records_total (\S+)$", re.MULTILINE)


async def _fill(scene: Ordeal, worker: WorkerProcess, actions: int) -> str:
    worker.start()
    url = await worker.await_ready()
    await scene.feed(actions)
    await scene.until_done(url)
    return url


async def _restored(url: str) -> int:
    async with httpx.AsyncClient() as client:
        found = _RESTORED.search((await client.get(f"{url}/metrics")).text)
    assert found is not None
    return int(float(found[1]))


def _tables(worker: WorkerProcess) -> list[Path]:
    """The directories of the worker's stores, which must not be running."""
    return sorted(path.parent for path in worker.data.rglob("CURRENT"))


def _rows(worker: WorkerProcess, kind: str) -> dict[str, list[tuple[bytes, bytes]]]:
    """Every row of the stores of one kind. Heads count the bytes since a keyframe: left out."""
    rows: dict[str, list[tuple[bytes, bytes]]] = {}
    for path in _tables(worker):
        if path.name == kind:
            store = RocksStore.open(path)
            found = [row for row in store.scan(b"", b"\xff" * 64) if not row[0].startswith(b"h/")]
            rows[path.parent.name] = found
            store.close()
    assert len(rows) == PARTITIONS
    return rows


@pytest.mark.parametrize("actions", ACTIONS)
async def test_with_its_tables_a_worker_reads_the_tail_and_without_them_all(
    kafka: Kafka, app: str, tmp_path: Path, actions: int
) -> None:
    async with ordeal(kafka.bootstrap_servers, app, tmp_path, documents=50, seed=4) as scene:
        worker = scene.worker("one")
        try:
            await _fill(scene, worker, actions)
            assert await asyncio.to_thread(worker.stop) == 0
            before = {kind: _rows(worker, kind) for kind in ("write", "documents")}

            worker.start()
            assert await _restored(await worker.await_ready()) == 0
            assert await asyncio.to_thread(worker.stop) == 0

            for path in _tables(worker):
                shutil.rmtree(path)
            worker.start()
            url = await worker.await_ready()
            assert await _restored(url) > 2 * actions
            await scene.judge(url)
            assert await asyncio.to_thread(worker.stop) == 0
            assert {kind: _rows(worker, kind) for kind in ("write", "documents")} == before
        finally:
            worker.kill()


async def test_a_table_older_than_the_life_of_tombstones_is_rebuilt(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    async with ordeal(kafka.bootstrap_servers, app, tmp_path, documents=20, seed=5) as scene:
        worker = scene.worker("one")
        try:
            await _fill(scene, worker, 500)
            assert await asyncio.to_thread(worker.stop) == 0
            for path in _tables(worker):
                store = RocksStore.open(path)
                written_ms = (store.written_ms or 0) - Settings().delete_retention_ms
                store.write([], store.positions(), now_ms=written_ms)
                store.close()
            worker.start()
            url = await worker.await_ready()
            assert await _restored(url) > 2 * 500
            assert "tombstones may be gone" in worker.log()
            await scene.judge(url)
        finally:
            worker.kill()


async def _judged_after_an_outage(
    own_kafka: OwnKafka,
    app: str,
    directory: Path,
    actions: int,
    outage: Callable[[], Awaitable[None]],
) -> None:
    async with ordeal(own_kafka.bootstrap_servers, app, directory, documents=50, seed=6) as scene:
        worker = scene.worker("one")
        worker.start()
        try:
            url = await worker.await_ready()
            scene.load.add(actions)
            await scene.load.send(scene.log)
            await scene.until_written(actions // 10)
            await outage()
            await scene.until_done(url)
            await scene.judge(url)
        finally:
            worker.kill()


@pytest.mark.parametrize(
    ("actions", "gone_s"), [(2_000, 2.0), pytest.param(20_000, 20.0, marks=pytest.mark.chaos)]
)
async def test_a_broker_that_answers_nothing_for_a_while_loses_nothing(
    own_kafka: OwnKafka, app: str, tmp_path: Path, actions: int, gone_s: float
) -> None:
    async def outage() -> None:
        own_kafka.pause()
        await asyncio.sleep(gone_s)  # how long it is gone is the matter here
        own_kafka.resume()

    await _judged_after_an_outage(own_kafka, app, tmp_path, actions, outage)


@pytest.mark.chaos
async def test_a_broker_that_is_killed_and_comes_back_loses_nothing(
    own_kafka: OwnKafka, app: str, tmp_path: Path
) -> None:
    async def outage() -> None:
        own_kafka.kill()
        await asyncio.sleep(20.0)  # how long it is gone is the matter here
        await asyncio.to_thread(own_kafka.start)

    await _judged_after_an_outage(own_kafka, app, tmp_path, 20_000, outage)
