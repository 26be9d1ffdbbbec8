"""A view that is built anew while documents are read."""

from __future__ import annotations

from docreactor.bench.folders import Folders
from docreactor.bench.meter import ends_of, metering
from docreactor.bench.rebuild import Readers, measure_rebuild
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload
from docreactor.bench.write import MODEL


async def test_two_workers_build_it_while_it_is_read(stage: Stage) -> None:
    workload = Workload(partitions=2, documents=5)
    await stage.fill(stage.topics.actions, workload.creations(), what="Creating", total=10)
    ends = await ends_of(stage, stage.actions)
    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        await worker.ready()
        await meter.consumed(ends, worker)

    figures = await measure_rebuild(
        stage, workload, Folders(2, 100), Readers(per_s=50, before_s=0.5), operations=10
    )

    found = {figure.name: figure.value for figure in figures}
    rate = found["rebuild of the view, two workers"]
    assert isinstance(rate, float) and rate > 0
    assert {
        "a document by id at 50/s, before the rebuild, p99",
        "a document by id at 50/s, while it runs, p99",
    } <= (found.keys())
