"""The agents inside this process."""

from __future__ import annotations

from docreactor.bench.inside import open_gateway, open_inside
from docreactor.bench.meter import ends_of, metering
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload, document_id
from docreactor.bench.write import MODEL


async def test_a_node_serves_what_a_worker_left_in_its_tables(stage: Stage) -> None:
    jobs = Workload(partitions=2, documents=4).creations()
    await stage.fill(stage.topics.actions, jobs, what="Creating", total=8)
    ends = await ends_of(stage, stage.actions)
    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        await worker.ready()
        await meter.consumed(ends, worker)
        await meter.ready(worker)

    async with open_inside(stage, MODEL, tables=stage.tables) as node:
        assert node.ready()
        live = node.local(node.partition_of(document_id(0)))
        assert live is not None
        assert live.documents.document(document_id(0), "main") is not None
        assert node.metrics.registry.get_sample_value("docreactor_restored_records_total") == 0


async def test_a_gateway_runs_no_partition_and_knows_the_workers(stage: Stage) -> None:
    async with stage.worker(MODEL) as worker:
        announcement = await worker.ready()
        async with open_gateway(stage, MODEL) as node:
            assert node.local(0) is None
            assert node.owner(0) == announcement.url
