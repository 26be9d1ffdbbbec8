"""The rates of a worker."""

from __future__ import annotations

from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload
from docreactor.bench.write import measure_write


async def test_a_run_has_a_rate_to_written_and_one_to_shown(stage: Stage) -> None:
    run = await measure_write(stage, Workload(partitions=2, documents=10), 200)

    assert 0 < run.read_per_s
    assert 0 < run.write_per_s
    stored = await stage.log.end_offsets(stage.operations)
    assert sum(stored.values()) >= 220
    named = {figure.name: figure for figure in run.figures}
    assert named["actions to operations"].value == run.write_per_s
    assert "at least 25,000" in named["actions to operations"].goal
