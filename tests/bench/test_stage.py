"""Where a measurement takes place."""

from __future__ import annotations

from pathlib import Path

import pytest

from docreactor.agents.log import TopicPartition
from docreactor.bench.meter import ends_of
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload
from docreactor.bench.write import MODEL
from docreactor.pipeline.errors import MeasurementFailedError
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.position import Offset


async def test_jobs_stand_in_their_order_in_the_partition_of_their_document(stage: Stage) -> None:
    jobs = list(Workload(partitions=2, documents=5).changes(60, per_job=2))

    actions = await stage.fill(stage.topics.actions, jobs, what="Filling", total=60)

    assert actions == 60
    for source in stage.actions:
        expected = [job.entry.value for job in jobs if job.partition == source.partition]
        assert await values(stage, source, count=len(expected)) == expected


async def test_a_stage_begins_empty_and_in_a_directory_of_its_own(
    stage: Stage, tmp_path: Path
) -> None:
    assert stage.tables.is_relative_to(tmp_path)
    assert stage.log_id
    assert await ends_of(stage, stage.operations) == {}


async def test_what_a_kafka_of_anothers_uses_is_not_known(stage: Stage) -> None:
    assert stage.broker_usage() is None
    assert stage.bytes_on_disk(stage.topics.actions) is None


async def test_a_worker_is_ready_or_says_why_it_is_not(stage: Stage) -> None:
    async with stage.worker(MODEL) as worker:
        announcement = await worker.ready()
        assert announcement.app == stage.settings.app
        assert worker.usage().rss_bytes > 1_000_000

    with pytest.raises(MeasurementFailedError, match="the worker ended"):
        worker.usage()
    async with stage.worker("no.such.model") as worker:
        with pytest.raises(MeasurementFailedError, match="no.such.model"):
            await worker.ready()


async def test_each_worker_has_tables_of_its_own_that_outlast_it(stage: Stage) -> None:
    async with stage.worker(MODEL) as first, stage.worker(MODEL, number=2) as second:
        await first.ready()
        await second.ready()

    homes = {path.parent.name for path in stage.settings.data.glob(f"*/{stage.settings.app}")}
    assert homes == {"worker-1", "worker-2"}
    assert list(stage.tables.rglob("CURRENT"))


async def values(stage: Stage, source: TopicPartition, *, count: int) -> list[bytes | None]:
    reader = await stage.log.reader({source: Offset(0)})
    found: list[bytes | None] = []
    while len(found) < count:
        fetched = await reader.fetch(count_max=100, timeout_ms=1_000)
        found += [record.value for batch in fetched.values() for record in batch.records]
        assert all(Mutation.decode(value or b"") for value in found)
    await reader.close()
    return found
