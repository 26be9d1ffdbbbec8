"""Workers that die, freeze or leave: the log and the tables are judged from outside."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
import structlog

from tests.support.kafka import Kafka
from tests.support.load import Load
from tests.support.ordeal import Ordeal, ordeal, until
from tests.support.workers import WorkerProcess, positions

_log = structlog.get_logger(__name__)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

SIZES = [
    pytest.param(4_000, 2, id="small"),
    pytest.param(40_000, 6, id="full", marks=pytest.mark.chaos),
]


async def _kill_in_transactions(
    scene: Ordeal, worker: WorkerProcess, *, actions: int, kills: int
) -> None:
    for number in range(1, kills + 1):
        await scene.until_sent(number * actions // (kills + 1))
        await scene.until_in_transaction()
        worker.kill()
        worker.start()


@pytest.mark.parametrize(("actions", "kills"), SIZES)
async def test_a_worker_killed_inside_transactions_loses_and_doubles_nothing(
    kafka: Kafka, app: str, tmp_path: Path, actions: int, kills: int
) -> None:
    async with ordeal(kafka.bootstrap_servers, app, tmp_path, documents=100, seed=1) as scene:
        worker = scene.worker("one")
        worker.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scene.feed(actions))
                await _kill_in_transactions(scene, worker, actions=actions, kills=kills)
            url = await worker.await_ready()
            await scene.until_done(url)
            aborted = await scene.judge(url)
        finally:
            worker.kill()
        # Shown with -rP.
        _log.info("judged", actions=actions, kills=kills, aborted_operations_on_the_log=aborted)
        assert aborted > 0


@pytest.mark.parametrize("actions", [2_000, pytest.param(20_000, marks=pytest.mark.chaos)])
async def test_a_frozen_worker_that_goes_on_is_fenced_and_answers_nothing(
    kafka: Kafka, app: str, tmp_path: Path, actions: int
) -> None:
    async with ordeal(kafka.bootstrap_servers, app, tmp_path, documents=50, seed=2) as scene:
        first, second = scene.worker("first"), scene.worker("second")
        first.start()
        try:
            zombie_url = await first.await_ready()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scene.feed(actions))
                await scene.until_sent(actions // 2)
                await scene.until_in_transaction()
                first.freeze()
                second.start()
                url = await second.await_ready()
            await scene.until_done(url)
            asking = asyncio.create_task(_stale_answers(zombie_url, scene.load))
            await asyncio.sleep(0)
            first.go_on()
            assert await asking == []
            await scene.judge(url)
        finally:
            first.kill()
            second.kill()


async def _stale_answers(url: str, load: Load) -> list[str]:
    """Answers that show less than was written; a refusal or a closed connection shows nothing."""
    stale: list[str] = []
    async with httpx.AsyncClient(timeout=20.0) as client:
        for document_id in load.amounts:
            try:
                reply = await client.get(f"{url}/v1/documents/{document_id}")
            except httpx.TransportError:
                continue
            if reply.status_code == 200 and not load.is_right(document_id, reply):
                stale.append(f"{reply.headers['X-Docreactor-Answered-By']}: {reply.text}")
    return stale


@pytest.mark.parametrize("actions", [3_000, pytest.param(40_000, marks=pytest.mark.chaos)])
async def test_of_two_workers_one_stops_and_one_is_killed_under_load(
    kafka: Kafka, app: str, tmp_path: Path, actions: int
) -> None:
    async with ordeal(kafka.bootstrap_servers, app, tmp_path, documents=100, seed=3) as scene:
        first, second = scene.worker("first"), scene.worker("second")
        first.start()
        second.start()
        try:
            await first.await_ready()
            url = await second.await_ready()

            async def is_shared() -> bool:
                return len({row["url"] for row in await positions(url)}) == 2

            await until(is_shared)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(scene.feed(actions))
                await scene.until_sent(actions // 3)
                assert await asyncio.to_thread(first.stop) == 0
                first.start()
                await first.await_ready()
                await until(is_shared)
                await scene.until_sent(actions * 2 // 3)
                first.kill()
            await scene.until_done(url)
            await scene.judge(url)
        finally:
            first.kill()
            second.kill()
