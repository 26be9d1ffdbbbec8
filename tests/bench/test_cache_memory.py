"""What the write cache holds, and what letting go costs."""

from __future__ import annotations

from docreactor.bench.cache_memory import RINGS, measure_eviction, measure_memory
from docreactor.bench.report import Figure


def _value(figures: list[Figure], name: str) -> float:
    value = next(one.value for one in figures if one.name == name)
    assert isinstance(value, float)
    return value


async def test_memory_grows_with_the_ring_and_with_the_documents_and_is_given_back() -> None:
    figures = await measure_memory(documents=5)
    per_document = [_value(figures, f"memory, ring of {ring}, per document") for ring in RINGS]

    assert per_document == sorted(per_document)
    assert 1.5 < _value(figures, "memory, twice the documents") < 2.5
    assert _value(figures, "memory left after clearing, per document") < 1_024 * per_document[0]
    assert 0 < _value(figures, "memory of an LRU entry") < 1_000


def test_an_eviction_is_what_a_put_takes_longer_in_anothers_place() -> None:
    figures = measure_eviction(puts=2_000)
    evicting = _value(figures, "put, in the place of the least recently used stream")
    again = _value(figures, "put, of a stream that is cached")

    assert _value(figures, "eviction") == evicting - again
