"""The commands about jobs that wait."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from docreactor.pipeline.job import JobStatus
from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes

MILK = {"type": "ADD_ITEM", "input": {"text": "Milk"}}


async def test_a_batch_from_a_file_is_submitted_and_told_by_its_keys(tmp_path: Path) -> None:
    file = tmp_path / "jobs.json"
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        await only.create("shop-1")
        await only.create("shop-2")
        jobs = [
            {"key": "b", "document_id": "shop-2", "actions": [MILK], "depends_on": ["a"]},
            {"key": "a", "document_id": "shop-1", "actions": [MILK]},
        ]
        file.write_bytes(orjson.dumps({"jobs": jobs}))
        told = await say("batch", f"@{file}", "--json", url=url)
        jobs[1] |= {"document_id": "nobody"}
        failed = await say("batch", "-", url=url, stdin=orjson.dumps(jobs).decode())
        wrong = await say("batch", orjson.dumps([jobs[0]]).decode(), url=url)

    statuses = {key: job["status"] for key, job in told.json["jobs"].items()}
    assert (told.code, statuses) == (0, {"b": "READ_READY", "a": "READ_READY"})
    assert failed.code == 1
    assert "no document nobody" in failed.out
    assert wrong.code == 1
    assert wrong.err.startswith("UnknownDependency: job b depends on a")


@pytest.mark.parametrize("given", ["3", '{"keys": []}', '["a"]'])
async def test_what_is_no_batch_is_refused_before_anything_is_sent(given: str) -> None:
    said = await say("batch", given, url="http://127.0.0.1:9")

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("InvalidInput: JOBS: must be a list of jobs")


async def test_a_deferred_job_is_cancelled_and_no_other() -> None:
    async with several_nodes(1) as (only,):
        url, node = str(only.http.base_url), only.node
        await only.create("shop-1")
        other = (node.partition_of("shop-1") + 1) % node.partition_count
        job = await only.reactor.submit("shop-1", MILK, depends_on=[f"{node.mint()}-{other}"])
        told = await say("jobs", "cancel", job.id, url=url)
        again = await say("jobs", "cancel", job.id, "--json", url=url)
        ended = await only.reactor.job(job.id)

    assert told.code == 0
    assert "JobCancelled" in told.out
    assert ended.status is JobStatus.FAILED
    assert again.code == 1
    assert again.err.startswith("JobNotCancellable")
