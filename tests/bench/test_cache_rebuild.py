"""Reading a state from wherever it is nearest, and what keyframes cost."""

from __future__ import annotations

from pathlib import Path

from docreactor.bench.cache_rebuild import Histories, measure_rebuild

HISTORIES = Histories(operations=60, ratio=0.3, documents=3)


def test_documents_end_anywhere_between_keyframes() -> None:
    lengths = list(Histories(operations=1_000, ratio=0.3, documents=10).lengths.values())

    assert sorted(length % 10 for length in lengths) == list(range(10))
    assert max(lengths) == 1_000
    assert min(lengths) > 890


async def test_cold_warm_and_cached_reads_and_the_cost_of_keyframes_are_measured(
    tmp_path: Path,
) -> None:
    figures = {one.name: one for one in await measure_rebuild(tmp_path, HISTORIES, passes=2)}

    name = "60 operations, growth 0.3"
    for read in (
        f"cold read, {name}, no keyframes",
        f"cold read, {name}, adaptive",
        f"cold read, {name}, fixed",
        f"warm read, 10 operations behind, {name}",
        f"hit, {name}",
        f"hit of the reducer, {name}",
    ):
        took = figures[read].value
        assert isinstance(took, float)
        assert took > 0
    assert figures[f"put_state, {name}, fixed: overhead"].goal == "under 5"


async def test_of_a_thousand_operations_a_cold_read_is_to_be_ten_times_as_fast(
    tmp_path: Path,
) -> None:
    histories = Histories(operations=1_000, ratio=0.1, documents=1)
    figures = await measure_rebuild(tmp_path, histories, passes=1)

    faster = [one for one in figures if one.name.endswith(("adaptive: faster", "fixed: faster"))]
    assert [one.goal for one in faster] == ["at least 10"] * 2
