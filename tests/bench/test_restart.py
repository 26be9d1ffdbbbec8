"""How soon a worker serves again."""

from __future__ import annotations

from docreactor.bench.restart import measure_restart
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload


async def test_a_warm_restart_reads_the_tail_alone_and_a_cold_one_everything(stage: Stage) -> None:
    workload = Workload(partitions=2, documents=5)
    await stage.fill(stage.topics.actions, workload.creations(), what="Creating", total=10)

    figures = await measure_restart(stage, workload, 300, present=10)

    found = {figure.name: figure.value for figure in figures}
    assert found["operations on the log"] == 300
    assert found["warm restart, records read"] == 0
    # Each operation once, for the operation store that the view is filled from, and the jobs.
    cold = found["cold restore, records read"]
    assert isinstance(cold, int)
    assert 300 < cold < 600
