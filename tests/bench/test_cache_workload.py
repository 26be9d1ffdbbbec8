"""The write cache under the reducer."""

from __future__ import annotations

from pathlib import Path

import pytest

from docreactor.bench.cache_workload import Mix, measure_mix, measure_saving


async def test_what_fits_is_mostly_hits_and_nothing_is_evicted(tmp_path: Path) -> None:
    mix = Mix("few", documents=10, steps=300, skew=0)
    figures = {one.name: one.value for one in await measure_mix(tmp_path, mix, goal="over 80")}

    rate = figures["mixed workload, few: hit rate"]
    assert isinstance(rate, float)
    assert rate > 80
    assert figures["mixed workload, few: streams evicted"] == 0


def test_a_mix_is_the_same_each_time_and_with_a_skew_some_are_popular() -> None:
    mix = Mix("some", documents=50, steps=500, skew=1.0)
    steps = [step for batch in mix.batches() for step in batch]

    assert steps == [step for batch in mix.batches() for step in batch]
    assert len(steps) == 500
    popular = sum(document_id == "d0" for _, document_id in steps)
    assert popular > 3 * sum(document_id == "d25" for _, document_id in steps)
    assert {kind for kind, _ in steps} == {"job", "read", "past"}


async def test_an_action_is_timed_with_the_cache_and_without(tmp_path: Path) -> None:
    cached, bare, faster = await measure_saving(tmp_path, actions=3)

    assert isinstance(cached.value, float) and isinstance(bare.value, float)
    assert faster.value == pytest.approx(bare.value / cached.value)
