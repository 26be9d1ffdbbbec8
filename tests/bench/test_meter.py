"""How far a worker is, seen from the log."""

from __future__ import annotations

import time

from docreactor.bench.meter import ends_of, metering
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload
from docreactor.bench.write import MODEL


async def test_a_meter_sees_when_a_worker_ran_wrote_and_showed(stage: Stage) -> None:
    jobs = Workload(partitions=2, documents=20).creations()
    await stage.fill(stage.topics.actions, jobs, what="Creating", total=40)
    ends = await ends_of(stage, stage.actions)

    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        await worker.ready()
        written_s = await meter.consumed(ends, worker)
        viewed_s, read_s = await meter.viewed(worker), await meter.ready(worker)

        assert worker.started_s < meter.running_since_s() < written_s < time.time()
        assert meter.running_since_s() < viewed_s < time.time()
        assert meter.running_since_s() < read_s < time.time()
        assert await meter.reached("documents", worker, generation=0) == viewed_s
        assert meter.samples[-1].share == 1
        committed = {source: await stage.log.committed(source) for source in ends}
        assert committed == ends


async def test_a_partition_without_records_has_no_end_to_wait_for(stage: Stage) -> None:
    jobs = list(Workload(partitions=2, documents=1).creations())
    await stage.fill(stage.topics.actions, jobs, what="Creating", total=2)

    ends = await ends_of(stage, stage.actions)

    assert {source.partition: end for source, end in ends.items()} == {jobs[0].partition: 1}
