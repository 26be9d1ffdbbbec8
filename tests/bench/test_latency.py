"""How long a caller waits."""

from __future__ import annotations

from docreactor.bench.latency import Paces, measure_latency
from docreactor.bench.stage import Stage
from docreactor.bench.workload import Workload

PACES = Paces(sequential=5, slow_per_s=20, slow_s=0.5, open_per_s=50, open_s=1, warm_up_s=0.5)


async def test_both_ways_are_timed_to_written_and_to_shown_at_every_pace(stage: Stage) -> None:
    figures = await measure_latency(stage, Workload(partitions=2, documents=10), PACES)

    medians = [figure.name for figure in figures if "p50" in figure.name]
    for way in ("HTTP", "in process"):
        for until in ("WRITE_READY", "READ_READY"):
            assert f"{way}, one by one, to {until}, p50" in medians
            assert f"{way}, 20/s, to {until}, p50" in medians
            assert f"{way}, 50/s, to {until}, p50" in medians
    assert sum("HTTP alone" in name for name in medians) == 2
