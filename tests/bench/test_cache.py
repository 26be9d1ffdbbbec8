"""The write cache, measured."""

from __future__ import annotations

from pathlib import Path

from docreactor.bench.cache import RATIOS, Cache, take_cache
from docreactor.gateway.broker.progress import Step

SMALL = Cache(operations=30, documents=16, steps=50, passes=1, memory_documents=2, puts=1_000)


def test_every_figure_is_taken_and_nothing_is_left_behind(tmp_path: Path) -> None:
    steps: list[Step] = []
    report = take_cache(SMALL, directory=tmp_path, progress=steps.append)

    names = [figure.name for figure in report.figures]
    assert len(names) == len(set(names))
    for ratio in RATIOS:
        assert f"cold read, 30 operations, growth {ratio}, adaptive: faster" in names
        assert f"put_state, 100 operations, growth {ratio}, fixed: overhead" in names
    for name in (
        "one action on a document of 100 operations: faster with the cache",
        "mixed workload, 2 documents in a partition: hit rate",
        "eviction",
        "memory of an LRU entry",
    ):
        assert name in names
    assert all(isinstance(figure.value, int | float) for figure in report.figures)
    assert report.asked["operations"] == 30
    assert len(steps) == 2 * len(RATIOS) + 4
    assert list(tmp_path.iterdir()) == []
