"""How soon what was written can be read, and how fast that is."""

from __future__ import annotations

from docreactor.bench.read import Sizes, measure_read
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload

SIZES = Sizes(actions=100, operations=300, edges=1_000, reads=3, before_s=0.5)


async def test_everything_is_written_restored_read_in_every_way_and_rebuilt(stage: Stage) -> None:
    figures = await measure_read(stage, Workload(partitions=2, documents=10), SIZES)

    found = {figure.name: figure.value for figure in figures}
    assert found["edges"] == 1_000
    assert found["operations on the log"] == 300
    for rate in (
        "actions to READ_READY",
        "edges to READ_READY",
        "cold restore, reducer's tables alone",
        "HTTP, a document by id, 16 at once",
        "rebuild of the view, two workers",
    ):
        value = found[rate]
        assert isinstance(value, float) and value > 0, rate
    medians = {name for name in found if name.endswith(", p50")}
    for what in (
        "a document by id",
        "a page of 100 children",
        "ancestors",
        "path from the first folder",
    ):
        assert {f"HTTP, {what}, p50", f"in process, {what}, p50"} <= medians
    assert "HTTP, 10 documents by id, p50" in medians
    assert found["p99 while it runs, times before"] is not None
