"""Jobs that wait, and one that is tried again, while their worker is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from docreactor.gateway.client import Reactor
from docreactor.pipeline.job import JobStatus
from tests.support import faulty_worker
from tests.support.history import read_all, read_history
from tests.support.kafka import Kafka
from tests.support.ordeal import Ordeal, ordeal, until
from tests.support.workers import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.chaos, pytest.mark.timeout(400)]

CHAINS = 12
RETRIED = "retried"


def _add(amount: int) -> dict[str, Any]:
    return {"type": "ADD", "input": {"amount": amount}}


def _creation(document_id: str) -> list[dict[str, Any]]:
    """A ledger's first operations, as another deployment would tell them."""
    about = {"model": "test/ledger", "document_id": document_id}
    steps = (("CREATE_DOCUMENT", about), ("UPGRADE_DOCUMENT", _upgrade(about)))
    return [_operation(document_id, "document", at, *step) for at, step in enumerate(steps)]


def _upgrade(about: dict[str, Any]) -> dict[str, Any]:
    return {**about, "from_version": 0, "to_version": 1}


def _operation(document_id: str, scope: str, at: int, kind: str, given: Any) -> dict[str, Any]:
    action = {
        "id": f"{document_id}-{scope}-{at}",
        "type": kind,
        "scope": scope,
        "timestamp": f"2024-01-01T00:00:{at:02}Z",
        "input": given,
    }
    return {"action": action}


@dataclass
class Chains:
    """What was asked for: the jobs, and how often each amount must stand in each ledger."""

    reactor: Reactor
    jobs: list[str] = field(default_factory=list[str])
    amounts: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    async def create(self) -> None:
        """The ledgers that are there from the start."""
        for number in range(CHAINS):
            self.amounts[f"ledger-{number}"] = []
            await self.reactor.create("test/ledger", id=f"ledger-{number}", wait="write")
        await self.reactor.create("test/ledger", id=RETRIED, wait="write")

    async def hang(self) -> None:
        """Loads whose documents are missing, and jobs of other documents that wait for them."""
        for number in range(CHAINS):
            late = f"late-{number}"
            operations = [_operation(late, "global", 0, "ADD", {"amount": number})]
            load = await self.reactor.load(late, operations)
            first = await self._submit(f"ledger-{number}", 1, load.id)
            behind = await self._submit(f"ledger-{number}", 2)
            other = await self._submit(f"ledger-{(number + 1) % CHAINS}", 3, first)
            self.jobs += [load.id, first, behind, other]

    async def _submit(self, document_id: str, amount: int, *depends_on: str) -> str:
        self.amounts[document_id].append(amount)
        job = await self.reactor.submit(document_id, _add(amount), depends_on=depends_on)
        return job.id

    async def until_deferred(self) -> None:
        """Wait until every job is known as waiting."""

        async def is_deferred() -> bool:
            told = [await self.reactor.job(job_id) for job_id in self.jobs]
            assert {job.status for job in told} <= {JobStatus.PENDING, JobStatus.RUNNING}
            return all(job.offset is not None and job.document_id for job in told)

        await until(is_deferred)

    async def release(self) -> None:
        """Bring the missing documents."""
        for number in range(CHAINS):
            job = await self.reactor.load(f"late-{number}", _creation(f"late-{number}"))
            self.jobs.append(job.id)

    async def until_ended(self) -> None:
        """Wait for every job; none may fail."""
        for job_id in self.jobs:
            job = await self.reactor.wait(job_id, "read", timeout_ms=60_000)
            assert job.status is JobStatus.READ_READY, job


@asynccontextmanager
async def _killable(scene: Ordeal, fault: Path) -> AsyncIterator[tuple[WorkerProcess, Chains]]:
    """A worker on a disk that can be made to fail, and a client that waits for its return."""
    worker = scene.worker("one")
    worker.program = (faulty_worker.__file__,)
    worker.environment = {
        **worker.environment,
        faulty_worker.FAULT: str(fault),
        "DOCREACTOR_RETRIES_MAX": "100000",
        "DOCREACTOR_RETRY_BACKOFF_MAX_MS": "200",
    }
    worker.start()
    try:
        url = await worker.await_ready()
        worker.port = int(url.rpartition(":")[2])
        async with Reactor(url, retry_for_s=60) as reactor:
            yield worker, Chains(reactor)
    finally:
        worker.kill()


async def _judge(scene: Ordeal, chains: Chains) -> None:
    """Every action stands once, in its stream's order; every job ended once; nothing waits."""
    history = await read_history(scene.broker, scene.app)
    for document_id, amounts in chains.amounts.items():
        stored = history.streams[f"{document_id}/global/main"]
        assert [one["index"] for one in stored] == list(range(len(amounts)))
        assert sorted(one["action"]["input"]["amount"] for one in stored) == sorted(amounts)
        # Deferred first, behind it, and what waited for a job of another document.
        mine = [one["action"]["input"]["amount"] for one in stored]
        assert mine.index(1) < mine.index(2)
    for number in range(CHAINS):
        assert len(history.streams[f"late-{number}/global/main"]) == 1
        assert len(history.streams[f"late-{number}/document/main"]) == 2
    assert len(history.streams[f"{RETRIED}/global/main"]) == 1
    ended = Counter(record.key for record in await read_all(scene.broker, f"{scene.app}.jobs"))
    assert {ended[job_id.encode()] for job_id in chains.jobs} == {1}
    newest = {
        record.key: record.value for record in await read_all(scene.broker, f"{scene.app}.deferred")
    }
    assert len(newest) >= 3 * CHAINS
    assert set(newest.values()) == {None}, [
        orjson.loads(value)["job"]["id"] for value in newest.values() if value is not None
    ]


async def test_killed_while_jobs_are_deferred_waiting_and_retrying_all_end_right_and_once(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    fault = tmp_path / "fault"
    async with (
        ordeal(kafka.bootstrap_servers, app, tmp_path, documents=0, seed=7) as scene,
        _killable(scene, fault) as (worker, chains),
    ):
        await chains.create()
        await chains.hang()
        await chains.until_deferred()

        fault.write_text(f"/{RETRIED}/")
        retried = await chains.reactor.submit(RETRIED, _add(5))
        chains.jobs.append(retried.id)

        async def is_retrying() -> bool:
            assert (await chains.reactor.job(retried.id)).status is not JobStatus.FAILED
            return "could not be decided" in worker.log()

        await until(is_retrying)
        assert (await chains.reactor.job(retried.id)).status is JobStatus.RUNNING

        worker.kill()
        fault.unlink()
        worker.start()
        await worker.await_ready()
        written = await scene.written()
        await chains.release()
        await scene.until_written(written + CHAINS)
        worker.kill()
        worker.start()
        await worker.await_ready()

        await chains.until_ended()
        await _judge(scene, chains)
