"""Plain Faust beside us."""

from __future__ import annotations

from docreactor.bench.comparison import FaustRun, measure_faust
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload


async def test_plain_faust_works_off_the_same_jobs(stage: Stage) -> None:
    run = await measure_faust(stage, Workload(partitions=2, documents=10), 300)

    assert run.actions == 300
    assert run.actions_per_s > 0


def test_a_comparison_says_how_many_times_faster_we_were() -> None:
    figures = FaustRun(actions=1_000, actions_per_s=2_000, cpu_s=0.5).figures(30_000, 20_000)

    values = {figure.name: figure.value for figure in figures}
    assert values["to operations, times plain Faust"] == 15
    assert values["to READ_READY, times plain Faust"] == 10
    assert values["plain Faust, processor per action"] == 500
